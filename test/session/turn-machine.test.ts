// The turn machine: what each input does in each state, and what no sequence of inputs can break.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_SESSION_OPTIONS, type TurnOptions } from '../../src/session/options.ts';
import {
  INITIAL_TURN_STATE,
  stepTurn,
  type TurnDecision,
  type TurnInput,
  type TurnState,
} from '../../src/session/turn/machine.ts';

const options = DEFAULT_SESSION_OPTIONS.turns;
const state = (over: Partial<TurnState>): TurnState => ({ ...INITIAL_TURN_STATE, turn: 3, take: 7, ...over });

const LISTENING = state({});
const SPEAKING = state({ phase: 'user-speaking', voice: true });
const PAUSED = state({ phase: 'user-paused', takePending: true });
const PAUSED_KNOWN = state({ phase: 'user-paused', text: 'hello', replyTo: 'hello' });
const THINKING = state({ phase: 'thinking', takePending: true });
const ANSWERING = state({ phase: 'thinking', text: 'hello', replyTo: 'hello' });
const GREETING = state({ phase: 'thinking', replyTo: '', unasked: true });
const SOUNDING = state({ phase: 'agent-speaking', text: 'hello', replyTo: 'hello' });
const HELD = state({ phase: 'user-speaking', voice: true, held: true });
const HELD_THINKING = state({ phase: 'thinking', takePending: true, held: true });

/** Decisions in short: their names, with the text or the take where they have one. */
function shown(decisions: readonly TurnDecision[]): string[] {
  return decisions.map((d) => {
    if (d.do === 'respond') return `respond '${d.text}'${d.early ? ' early' : ''}`;
    if (d.do === 'transcribe') return `transcribe ${d.take}${d.early ? ' early' : ''}`;
    return d.do;
  });
}

type Row = readonly [
  what: string,
  from: TurnState,
  input: TurnInput,
  decisions: readonly string[],
  after: Partial<TurnState>,
  options?: Partial<TurnOptions>,
];
const START: TurnInput = { type: 'speech-start' };
const STOP: TurnInput = { type: 'speech-stop' };
const BARGE: TurnInput = { type: 'barge-in' };
const SILENCE: TurnInput = { type: 'silence' };
const AUDIBLE: TurnInput = { type: 'reply-audible' };
const FINISHED: TurnInput = { type: 'reply-finished' };
const words = (text: string, take = 7): TurnInput => ({ type: 'transcript', take, text });
const typed: TurnInput = { type: 'text', text: 'typed' };
const BYE: TurnInput = { type: 'farewell' };
const deaf: TurnInput = { type: 'transcript-failed', take: 7 };

const TABLE: readonly Row[] = [
  ['speech begins a turn', LISTENING, START, ['begin-turn'], { phase: 'user-speaking', turn: 4, voice: true }],
  [
    'speech in a pause goes on with the turn',
    PAUSED,
    START,
    ['cancel-transcribe'],
    { phase: 'user-speaking', turn: 3, takePending: false },
  ],
  [
    'speech in a pause drops what was begun on half a turn',
    PAUSED_KNOWN,
    START,
    ['abandon-reply'],
    { phase: 'user-speaking', text: null, replyTo: null },
  ],
  ['speech over the agent is noted', SOUNDING, START, [], { phase: 'agent-speaking', voice: true }],
  ['speech while thinking is noted', ANSWERING, START, [], { phase: 'thinking', voice: true }],
  [
    'a stop asks for words at once',
    SPEAKING,
    STOP,
    ['transcribe 8 early'],
    { phase: 'user-paused', take: 8, takePending: true, voice: false },
  ],
  [
    'a stop asks for nothing where that is switched off',
    SPEAKING,
    STOP,
    [],
    { phase: 'user-paused', take: 7 },
    { early: 'off' },
  ],
  ['a stop over the agent is noted', SOUNDING, STOP, [], { phase: 'agent-speaking', voice: false }],
  ['silence ends the turn and waits for its words', PAUSED, SILENCE, [], { phase: 'thinking', takePending: true }],
  [
    'silence ends the turn and asks for its words',
    state({ phase: 'user-paused' }),
    SILENCE,
    ['transcribe 8'],
    { phase: 'thinking', take: 8 },
  ],
  [
    'silence releases the answer that was begun',
    PAUSED_KNOWN,
    SILENCE,
    ['release'],
    { phase: 'thinking', replyTo: 'hello' },
  ],
  ['silence elsewhere means nothing', LISTENING, SILENCE, [], { phase: 'listening' }],
  [
    'early words begin an answer',
    PAUSED,
    words('hello'),
    ["respond 'hello' early"],
    { phase: 'user-paused', replyTo: 'hello' },
  ],
  [
    'early words only wait where early answers are off',
    PAUSED,
    words('hello'),
    [],
    { phase: 'user-paused', text: 'hello' },
    { early: 'transcript' },
  ],
  ['no early words say nothing yet', PAUSED, words(''), [], { phase: 'user-paused', text: '' }],
  [
    'words of an older take are ignored',
    PAUSED,
    words('old', 6),
    [],
    { phase: 'user-paused', takePending: true, text: null },
  ],
  [
    'the same words twice change nothing',
    state({ phase: 'user-paused', takePending: true, replyTo: 'hello' }),
    words('hello'),
    [],
    { replyTo: 'hello' },
  ],
  [
    'words end the thinking about them',
    THINKING,
    words('hello'),
    ["respond 'hello'", 'release'],
    { phase: 'thinking', replyTo: 'hello' },
  ],
  ['a turn without words never was', THINKING, words(''), ['discard-turn'], { phase: 'listening', turn: 2 }],
  [
    'words after a barge-in end the held answer',
    HELD_THINKING,
    words('stop'),
    ['interrupt', "respond 'stop'", 'release'],
    { held: false },
  ],
  [
    'no words after a barge-in resume it',
    HELD_THINKING,
    words(''),
    ['discard-turn', 'resume'],
    { phase: 'agent-speaking', held: false, turn: 2 },
  ],
  [
    'no words end it where resuming is off',
    HELD_THINKING,
    words(''),
    ['interrupt', 'discard-turn'],
    { phase: 'listening', held: false, turn: 2 },
    { resumeFalseInterruption: false },
  ],
  [
    'no words after a barge-in into the thinking release the answer',
    state({ phase: 'thinking', takePending: true, replyTo: 'hello' }),
    words(''),
    ['release'],
    { phase: 'thinking', replyTo: 'hello' },
  ],
  ['a deaf recognizer is apologized for', THINKING, deaf, ['apologize', 'release'], { phase: 'thinking', replyTo: '' }],
  ['a deaf recognizer ends a held answer', HELD_THINKING, deaf, ['interrupt', 'apologize', 'release'], { held: false }],
  [
    'an early attempt that failed is made again at the end',
    PAUSED,
    deaf,
    [],
    { phase: 'user-paused', takePending: false, text: null },
  ],
  [
    'a barge-in stops the agent and begins a turn',
    SOUNDING,
    BARGE,
    ['hold', 'begin-turn'],
    { phase: 'user-speaking', held: true, turn: 4, replyTo: null },
  ],
  [
    'a barge-in into the thinking goes on with the turn',
    ANSWERING,
    BARGE,
    ['hold', 'go-on'],
    { phase: 'user-speaking', held: false, turn: 3, replyTo: 'hello' },
  ],
  [
    'a barge-in while words are out asks again later',
    THINKING,
    BARGE,
    ['cancel-transcribe', 'hold', 'go-on'],
    { phase: 'user-speaking', takePending: false },
  ],
  [
    'a barge-in before the greeting sounds begins a turn',
    GREETING,
    BARGE,
    ['hold', 'begin-turn'],
    { phase: 'user-speaking', held: true, turn: 4, unasked: false },
  ],
  ['a barge-in into a held turn holds nothing new', HELD, BARGE, [], { phase: 'user-speaking', held: true }],
  ['typed words are a turn', LISTENING, typed, ["respond 'typed'", 'release'], { phase: 'thinking', turn: 4 }],
  [
    'typed words stop the agent',
    SOUNDING,
    typed,
    ['hold', 'interrupt', "respond 'typed'", 'release'],
    { phase: 'thinking', turn: 4 },
  ],
  [
    'typed words end a held answer and the spoken turn',
    HELD,
    typed,
    ['interrupt', 'discard-turn', "respond 'typed'", 'release'],
    { held: false, turn: 3 },
  ],
  [
    'typed words join those that are not answered',
    ANSWERING,
    typed,
    ['abandon-reply', "respond 'hello typed'", 'release'],
    { turn: 3 },
  ],
  [
    'typed words come before the greeting',
    GREETING,
    typed,
    ['abandon-reply', "respond 'typed'", 'release'],
    { turn: 4, unasked: false },
  ],
  [
    'goodbye: over the answer that sounds',
    SOUNDING,
    BYE,
    ['hold', 'interrupt', 'bid-farewell'],
    { phase: 'thinking', turn: 3, replyTo: '' },
  ],
  [
    'goodbye: instead of the turn that is being formed',
    PAUSED,
    BYE,
    ['cancel-transcribe', 'discard-turn', 'bid-farewell'],
    { phase: 'thinking', takePending: false },
  ],
  ['goodbye: after a reply that was held', HELD, BYE, ['interrupt', 'discard-turn', 'bid-farewell'], { held: false }],
  ['goodbye: instead of the greeting', GREETING, BYE, ['abandon-reply', 'bid-farewell'], { unasked: false }],
  ['the greeting begins where nobody speaks', LISTENING, { type: 'say' }, [], { phase: 'thinking', unasked: true }],
  ['the first sound is the agent speaking', ANSWERING, AUDIBLE, [], { phase: 'agent-speaking' }],
  ["the end of the answer is the caller's turn", SOUNDING, FINISHED, [], { phase: 'listening', replyTo: null }],
  [
    "the end of the answer under the caller's voice begins a turn",
    state({ phase: 'agent-speaking', voice: true }),
    FINISHED,
    ['begin-turn'],
    { phase: 'user-speaking', turn: 4 },
  ],
];

for (const [what, from, input, decisions, after, change] of TABLE) {
  test(what, () => {
    const step = stepTurn(from, input, { ...options, ...change });
    assert.deepEqual(shown(step.decisions), decisions);
    for (const [key, value] of Object.entries(after)) assert.deepEqual(step.state[key as keyof TurnState], value, key);
  });
}

/** A model of what the session has, driven by the decisions: the reply, the take, the kept audio. */
class World {
  state = INITIAL_TURN_STATE;
  options: TurnOptions;
  reply: { audible: boolean; released: boolean; held: boolean } | null = null;
  takes: number[] = [];
  keeping = false;

  constructor(change: TurnOptions) {
    this.options = change;
  }

  step(input: TurnInput): void {
    const before = this.state;
    const { state: next, decisions } = stepTurn(before, input, this.options);
    assert.equal(JSON.stringify(stepTurn(before, input, this.options).state), JSON.stringify(next), 'not pure');
    this.state = next;
    for (const decision of decisions) this.decide(decision);
    this.check();
  }

  decide(decision: TurnDecision): void {
    switch (decision.do) {
      case 'respond':
      case 'apologize':
      case 'bid-farewell':
        assert.equal(this.reply, null, `${decision.do} while another reply is there`);
        this.reply = { audible: false, released: decision.do === 'bid-farewell', held: false };
        return;
      case 'transcribe':
        assert.ok(!this.takes.includes(decision.take), 'a take was asked for twice');
        assert.ok(this.keeping, 'words of audio that was not kept');
        this.takes.push(decision.take);
        return;
      case 'cancel-transcribe':
        return;
      case 'begin-turn':
      case 'go-on':
        this.keeping = true;
        return;
      case 'discard-turn':
        this.keeping = false;
        return;
      case 'hold':
        if (this.reply !== null) this.reply.held = true;
        return;
    }
    // The rest is about a reply that must be there.
    const { reply } = this;
    assert.notEqual(reply, null, `${decision.do} without a reply`);
    if (reply === null) return;
    if (decision.do === 'release') Object.assign(reply, { released: true, held: false });
    else if (decision.do === 'resume') {
      assert.ok(reply.held, 'resume of a reply that was not held');
      reply.held = false;
    } else {
      if (decision.do === 'abandon-reply') assert.ok(!reply.audible, 'abandoned although it was heard');
      this.reply = null;
    }
  }

  check(): void {
    const { phase, turn, held, replyTo, takePending, voice } = this.state;
    assert.ok(turn >= 0);
    if (phase === 'listening') assert.deepEqual([this.reply, held, replyTo], [null, false, null]);
    if (phase === 'agent-speaking') assert.ok(this.reply?.released === true && !this.reply.held && !held);
    if (held) assert.ok(this.reply?.held === true && phase !== 'agent-speaking');
    if (phase === 'user-speaking') assert.ok(!takePending && (this.reply === null || this.reply.held) && voice);
    if (phase === 'thinking')
      assert.ok(takePending || (this.reply?.released === true && !this.reply.held), 'nothing is waited for');
  }
}

const inputs = fc.constantFrom(
  'start',
  'stop',
  'barge',
  'silence',
  'words',
  'nothing',
  'late',
  'deaf',
  'text',
  'say',
  'sound',
  'end',
  'goodbye',
);
const turnOptions = fc.record({
  endpointingMs: fc.constant(500),
  bargeInMs: fc.constant(100),
  early: fc.constantFrom('off' as const, 'transcript' as const, 'reply' as const),
  resumeFalseInterruption: fc.boolean(),
});

/** Does what a session would: inputs come only when they can. */
function drive(world: World, input: string): void {
  const { state: now, reply } = world;
  const open = reply?.released === true && !reply.held;
  if (input === 'start' && !now.voice) world.step(START);
  else if (input === 'stop' && now.voice) world.step(STOP);
  else if (input === 'barge' && now.voice && ['thinking', 'agent-speaking'].includes(now.phase)) world.step(BARGE);
  else if (input === 'silence' && now.phase === 'user-paused') world.step(SILENCE);
  else if (input === 'words') world.step(words('some words', now.take));
  else if (input === 'nothing') world.step(words('', now.take));
  else if (input === 'late') world.step(words('late words', now.take - 1));
  else if (input === 'deaf') world.step({ type: 'transcript-failed', take: now.take });
  else if (input === 'goodbye') {
    world.keeping = false;
    world.step(BYE);
  } else if (input === 'text') {
    world.keeping = false;
    world.step(typed);
  } else if (input === 'say' && now.phase === 'listening') {
    world.reply = { audible: false, released: true, held: false };
    world.step({ type: 'say' });
  } else if (input === 'sound' && open && now.phase === 'thinking' && reply !== null) {
    reply.audible = true;
    world.keeping = false;
    world.step(AUDIBLE);
  } else if (input === 'end' && open) {
    world.reply = null;
    world.step(FINISHED);
  }
}

test('no walk breaks it: never two replies, none is lost, no decision without its object', () => {
  fc.assert(
    fc.property(turnOptions, fc.array(inputs, { maxLength: 60 }), (change, walk) => {
      const world = new World(change);
      for (const input of walk) drive(world, input);
    }),
    { numRuns: 4000, seed: 20_240_611 },
  );
});

test('from wherever a walk has led, quiet and answers lead back to listening', () => {
  fc.assert(
    fc.property(turnOptions, fc.array(inputs, { maxLength: 40 }), (change, walk) => {
      const world = new World(change);
      for (const input of walk) drive(world, input);
      for (let i = 0; i < 8 && world.state.phase !== 'listening'; i++)
        for (const input of ['stop', 'silence', 'words', 'sound', 'end']) drive(world, input);
      assert.equal(world.state.phase, 'listening');
      assert.equal(world.reply, null);
    }),
    { numRuns: 2000, seed: 20_240_612 },
  );
});
