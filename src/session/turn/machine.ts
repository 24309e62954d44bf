// Whose turn it is: a pure function from state and input to state and decisions. It knows no audio, no model and no clock.
import type { TurnOptions } from '../options.ts';

export interface TurnState {
  readonly phase: 'listening' | 'user-speaking' | 'user-paused' | 'thinking' | 'agent-speaking';
  /** The turn that is being formed or answered. */
  readonly turn: number;
  /** The newest request for the turn's words, and whether its answer is still out. */
  readonly take: number;
  readonly takePending: boolean;
  /** The turn's words as far as known. */
  readonly text: string | null;
  /** The words that the running reply answers ('' when it answers none); null when none runs for this turn. */
  readonly replyTo: string | null;
  /** The caller is making sounds that may be speech. */
  readonly voice: boolean;
  /** An earlier reply was stopped by the caller and waits for the verdict whether that was an interruption. */
  readonly held: boolean;
  /** The agent is about to speak without having been asked. */
  readonly unasked: boolean;
}

export type TurnInput =
  | { readonly type: 'speech-start' }
  /** Speech has gone on long enough to count over the agent's voice. */
  | { readonly type: 'barge-in' }
  | { readonly type: 'speech-stop' }
  /** The silence has been long enough to end the turn. */
  | { readonly type: 'silence' }
  | { readonly type: 'transcript'; readonly take: number; readonly text: string }
  | { readonly type: 'transcript-failed'; readonly take: number }
  /** Typed text: a whole turn at once. */
  | { readonly type: 'text'; readonly text: string }
  /** The agent speaks without being asked (greeting, announcement). */
  | { readonly type: 'say' }
  /** The call is being ended by us. */
  | { readonly type: 'farewell' }
  | { readonly type: 'reply-audible' }
  | { readonly type: 'reply-finished' };

export type TurnDecision =
  /** Keep the caller's audio from the onset on, as a new turn. */
  | { readonly do: 'begin-turn' }
  /** The turn goes on: keep its audio, from the onset on where none was kept. */
  | { readonly do: 'go-on' }
  | { readonly do: 'transcribe'; readonly take: number; readonly early: boolean }
  | { readonly do: 'cancel-transcribe' }
  | { readonly do: 'respond'; readonly text: string; readonly early: boolean }
  /** The reply may be heard. */
  | { readonly do: 'release' }
  /** Nothing of the reply was heard: it never happened. */
  | { readonly do: 'abandon-reply' }
  /** Stop sounding now; the reply may go on later. */
  | { readonly do: 'hold' }
  | { readonly do: 'resume' }
  /** The held reply is over; only what was heard of it counts. */
  | { readonly do: 'interrupt' }
  /** There were no words. */
  | { readonly do: 'discard-turn' }
  | { readonly do: 'apologize' }
  | { readonly do: 'bid-farewell' };

export interface TurnStep {
  readonly state: TurnState;
  readonly decisions: readonly TurnDecision[];
}

export const INITIAL_TURN_STATE: TurnState = {
  phase: 'listening',
  turn: 0,
  take: 0,
  takePending: false,
  text: null,
  replyTo: null,
  voice: false,
  held: false,
  unasked: false,
};

const NONE: readonly TurnDecision[] = [];

export function stepTurn(state: TurnState, input: TurnInput, options: TurnOptions): TurnStep {
  switch (input.type) {
    case 'speech-start':
      return speechStarts(state);
    case 'barge-in':
      return bargesIn(state);
    case 'speech-stop':
      return speechStops(state, options);
    case 'silence':
      return turnEnds(state, options);
    case 'transcript':
      return input.take === state.take && state.takePending ? words(state, input.text, options) : same(state);
    case 'transcript-failed':
      return input.take === state.take && state.takePending ? noEars(state) : same(state);
    case 'text':
      return typed(state, input.text);
    case 'say':
      return {
        state: state.phase === 'listening' ? { ...state, phase: 'thinking', replyTo: '', unasked: true } : state,
        decisions: NONE,
      };
    case 'farewell':
      return farewell(state);
    case 'reply-audible':
      return state.phase === 'thinking'
        ? { state: { ...state, phase: 'agent-speaking', unasked: false }, decisions: NONE }
        : same(state);
    case 'reply-finished':
      return replyEnds(state);
  }
}

function same(state: TurnState): TurnStep {
  return { state, decisions: NONE };
}

function speechStarts(state: TurnState): TurnStep {
  if (state.phase === 'listening') return newTurn(state, NONE);
  if (state.phase !== 'user-paused') return { state: { ...state, voice: true }, decisions: NONE };
  // The caller goes on: what was begun on half a turn is worthless.
  const decisions: TurnDecision[] = [];
  if (state.takePending) decisions.push({ do: 'cancel-transcribe' });
  if (state.replyTo !== null) decisions.push({ do: 'abandon-reply' });
  const speaking = {
    ...state,
    phase: 'user-speaking',
    voice: true,
    takePending: false,
    text: null,
    replyTo: null,
  } as const;
  return { state: speaking, decisions };
}

function newTurn(state: TurnState, before: readonly TurnDecision[]): TurnStep {
  return {
    state: {
      ...state,
      phase: 'user-speaking',
      turn: state.turn + 1,
      takePending: false,
      text: null,
      replyTo: null,
      voice: true,
      unasked: false,
    },
    decisions: [...before, { do: 'begin-turn' }],
  };
}

function bargesIn(state: TurnState): TurnStep {
  const answersNothing = state.phase === 'thinking' && state.unasked;
  if (state.phase === 'agent-speaking' || answersNothing) return newTurn({ ...state, held: true }, [{ do: 'hold' }]);
  // Nothing was heard yet: the turn goes on, and its reply waits until it is known whether there are new words.
  if (state.phase === 'thinking') {
    const decisions: TurnDecision[] = [{ do: 'hold' }, { do: 'go-on' }];
    if (state.takePending) decisions.unshift({ do: 'cancel-transcribe' });
    return { state: { ...state, phase: 'user-speaking', takePending: false, voice: true }, decisions };
  }
  return same(state);
}

function speechStops(state: TurnState, options: TurnOptions): TurnStep {
  if (state.phase !== 'user-speaking') return { state: { ...state, voice: false }, decisions: NONE };
  const paused = { ...state, phase: 'user-paused', voice: false } as const;
  return options.early === 'off' ? same(paused) : ask(paused, true);
}

function ask(state: TurnState, early: boolean): TurnStep {
  const take = state.take + 1;
  return { state: { ...state, take, takePending: true }, decisions: [{ do: 'transcribe', take, early }] };
}

function turnEnds(state: TurnState, options: TurnOptions): TurnStep {
  if (state.phase !== 'user-paused') return same(state);
  const thinking = { ...state, phase: 'thinking' } as const;
  if (state.takePending) return same(thinking);
  if (state.text === null) return ask(thinking, false);
  return answer(thinking, options);
}

function words(state: TurnState, text: string, options: TurnOptions): TurnStep {
  const known = { ...state, takePending: false, text };
  if (state.phase === 'thinking') return answer(known, options);
  if (state.phase !== 'user-paused' || text === '') return same(known);
  const decisions: TurnDecision[] = state.held ? [{ do: 'interrupt' }] : [];
  const sure = { ...known, held: false };
  if (options.early !== 'reply') return { state: sure, decisions };
  const next = reply(sure, text, true);
  return { state: next.state, decisions: [...decisions, ...next.decisions] };
}

/** The turn is over and its words are known: answer it, or find that there was nothing to answer. */
function answer(state: TurnState, options: TurnOptions): TurnStep {
  const text = state.text ?? '';
  if (text === '') return nothingSaid(state, options);
  const decisions: TurnDecision[] = state.held ? [{ do: 'interrupt' }] : [];
  const next = reply({ ...state, held: false }, text, false);
  return { state: next.state, decisions: [...decisions, ...next.decisions, { do: 'release' }] };
}

function reply(state: TurnState, text: string, early: boolean): TurnStep {
  if (state.replyTo === text) return same(state);
  const decisions: TurnDecision[] = state.replyTo === null ? [] : [{ do: 'abandon-reply' }];
  return { state: { ...state, replyTo: text }, decisions: [...decisions, { do: 'respond', text, early }] };
}

function nothingSaid(state: TurnState, options: TurnOptions): TurnStep {
  // A reply that was stopped before anything of it was heard answers words that are still true.
  if (state.replyTo !== null) {
    return { state: { ...state, phase: 'thinking', text: state.replyTo }, decisions: [{ do: 'release' }] };
  }
  if (state.held && options.resumeFalseInterruption) {
    const before = {
      ...state,
      phase: 'agent-speaking',
      turn: state.turn - 1,
      held: false,
      text: null,
      replyTo: '',
    } as const;
    return { state: before, decisions: [{ do: 'discard-turn' }, { do: 'resume' }] };
  }
  const listening = {
    ...state,
    phase: 'listening',
    turn: state.turn - 1,
    held: false,
    text: null,
    replyTo: null,
  } as const;
  const decisions: TurnDecision[] = state.held ? [{ do: 'interrupt' }] : [];
  return { state: listening, decisions: [...decisions, { do: 'discard-turn' }] };
}

function noEars(state: TurnState): TurnStep {
  // An early attempt has failed: the end of the turn tries again.
  if (state.phase !== 'thinking') return same({ ...state, takePending: false, text: null });
  const decisions: TurnDecision[] = [];
  if (state.held) decisions.push({ do: 'interrupt' });
  else if (state.replyTo !== null) decisions.push({ do: 'abandon-reply' });
  const next = { ...state, phase: 'thinking', takePending: false, held: false, text: '', replyTo: '' } as const;
  return { state: next, decisions: [...decisions, { do: 'apologize' }, { do: 'release' }] };
}

function isForming({ phase, takePending }: TurnState): boolean {
  return phase === 'user-speaking' || phase === 'user-paused' || takePending;
}

/** Ends what is being said, made or heard. */
function giveWay(state: TurnState): TurnDecision[] {
  const decisions: TurnDecision[] = [];
  if (state.takePending) decisions.push({ do: 'cancel-transcribe' });
  if (state.phase === 'agent-speaking') decisions.push({ do: 'hold' }, { do: 'interrupt' });
  else if (state.held) decisions.push({ do: 'interrupt' });
  else if (state.replyTo !== null) decisions.push({ do: 'abandon-reply' });
  if (isForming(state)) decisions.push({ do: 'discard-turn' });
  return decisions;
}

function farewell(state: TurnState): TurnStep {
  const leaving = {
    phase: 'thinking',
    takePending: false,
    held: false,
    unasked: false,
    text: null,
    replyTo: '',
  } as const;
  return { state: { ...state, ...leaving }, decisions: [...giveWay(state), { do: 'bid-farewell' }] };
}

function typed(state: TurnState, typedText: string): TurnStep {
  const sameTurn = isForming(state) || (state.phase === 'thinking' && !state.unasked);
  // Words of this turn that are not answered yet are answered together with the new ones.
  const text = sameTurn && state.replyTo !== null && state.replyTo !== '' ? `${state.replyTo} ${typedText}` : typedText;
  return {
    state: {
      ...state,
      phase: 'thinking',
      turn: sameTurn ? state.turn : state.turn + 1,
      takePending: false,
      held: false,
      unasked: false,
      text,
      replyTo: text,
    },
    decisions: [...giveWay(state), { do: 'respond', text, early: false }, { do: 'release' }],
  };
}

function replyEnds(state: TurnState): TurnStep {
  if (state.phase !== 'agent-speaking' && state.phase !== 'thinking') return same(state);
  const listening = { ...state, phase: 'listening', text: null, replyTo: null, unasked: false } as const;
  return state.voice ? newTurn(listening, NONE) : same(listening);
}
