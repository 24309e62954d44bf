// The demonstration: what the caller says, what the agent answers, and the one tool it has.
import type { Script } from './script.ts';

/** Where each recording lies in the caller's audio; the third comes while the agent is still speaking. */
export const DEMO_PHRASES: readonly {
  readonly clip: string;
  readonly text: string;
  readonly atMs: number;
  readonly interrupts: boolean;
}[] = [
  { clip: 'hello-world', text: 'Hello world.', atMs: 1000, interrupts: false },
  { clip: 'tt-weasels', text: 'Weasels have eaten our phone system.', atMs: 9500, interrupts: false },
  { clip: 'tt-monkeysintro', text: 'They have been carried away by monkeys.', atMs: 17_500, interrupts: true },
  { clip: 'queue-thankyou', text: 'Thank you for your patience.', atMs: 28_800, interrupts: false },
];
export const DEMO_LENGTH_MS = 36_000;

export const DEMO_SCRIPT: Script = {
  name: 'demonstration',
  language: 'en',
  turns: [
    {
      user: 'Hello world.',
      reply: 'Hello! This is Syrinx, and I can hear you. What can I do for you?',
    },
    {
      user: 'Weasels have eaten our phone system.',
      reply:
        'Oh dear, weasels again. Please stay calm. First, count the weasels. Then close the cable cupboard, and do not offer them any biscuits. After that, I will order new cables, and somebody will come on Monday.',
    },
    {
      user: 'They have been carried away by monkeys.',
      tools: [{ name: 'check_line', arguments: { line: 1 } }],
      reply: 'Then the weasels are gone. I have just checked your line: it works again.',
    },
    {
      user: 'Thank you for your patience.',
      reply: 'My pleasure. Give my regards to the monkeys. Goodbye!',
    },
  ],
  keywords: [
    { words: ['hello', 'hi', 'hey'], reply: 'Hello! This is Syrinx, and I can hear you. What can I do for you?' },
    { words: ['weasel', 'weasels', 'monkey', 'monkeys'], reply: 'Oh dear, weasels again. Please stay calm.' },
    { words: ['bye', 'goodbye', 'thanks'], reply: 'My pleasure. Goodbye!' },
    { words: ['who', 'name'], reply: 'I am a simulated model. I only know the demonstration.' },
  ],
};

export const DEMO_INSTRUCTIONS =
  'You answer the help line of a small office. Be calm, kind and brief. Use check_line before you say that a line works.';
