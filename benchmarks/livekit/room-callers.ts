// Callers that cost little: a Go program (`callers/main.go`) that sends recorded Opus packets. Built once with the machine's Go.
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../../scripts/steps.ts';
import { type Asked, startAsked } from './process.ts';

/** What an agent was seen to do from inside its room; `atMs` is the system's clock. */
export interface SeenInRoom {
  readonly room: string;
  readonly event: 'joined' | 'published' | 'heard' | 'left';
  readonly atMs: number;
}

const source = join(root, 'benchmarks', 'livekit', 'callers');
const folder = join(root, '.cache', 'livekit-callers');
const program = join(folder, 'callers');

export async function startCallers(happened: (event: SeenInRoom) => void = () => {}): Promise<Asked> {
  await build();
  return startAsked([program], happened as (event: never) => void);
}

async function build(): Promise<void> {
  if (existsSync(program) && statSync(program).mtimeMs > statSync(join(source, 'main.go')).mtimeMs) return;
  mkdirSync(folder, { recursive: true });
  console.error('Building the callers with Go (minutes where its modules are not there yet) ...');
  const { code, output } = await run(['go', '-C', source, 'build', '-trimpath', '-o', program, '.'], {
    limitSeconds: 900,
    env: { CGO_ENABLED: '0' },
  });
  if (code !== 0) throw new Error(`Cannot build the callers: ${output.slice(-2000)}`);
}
