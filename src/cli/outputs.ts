// Files that a command writes at its end: checked before the work begins, so that nothing is lost for want of a folder.
import type { Files } from '../hosts/port.ts';
import { EXIT } from './exit-codes.ts';
import { asUserError, UserError } from './user-error.ts';

/** Throws a `UserError` that lists every output (flag to path) that can not be written, or that would overwrite an input or another output. */
export async function checkOutputs(
  files: Files,
  outputs: Readonly<Record<string, string | undefined>>,
  inputs: readonly string[] = [],
): Promise<void> {
  const problems: string[] = [];
  let exitCode: UserError['exitCode'] = EXIT.config;
  const taken = new Map(inputs.map((path) => [path, 'the input']));
  for (const [flag, path] of Object.entries(outputs)) {
    if (path === undefined) continue;
    const other = taken.get(path);
    taken.set(path, flag);
    if (other !== undefined) {
      problems.push(`${flag}: ${path} is also ${other}; give each a file of its own`);
      continue;
    }
    const failure = await failureOf(() => files.checkWritable(path));
    if (failure === undefined) continue;
    problems.push(`${flag}: ${failure.problem(path)}`);
    exitCode = failure.exitCode;
  }
  if (problems.length > 0) throw new UserError('Cannot write the output', { exitCode, problems });
}

/** Writes them all, whatever happens to one of them. Throws a `UserError` for those that failed. */
export async function writeOutputs(
  files: Files,
  outputs: readonly (readonly [flag: string, path: string | undefined, make: () => Uint8Array])[],
): Promise<void> {
  const problems: string[] = [];
  let exitCode: UserError['exitCode'] = EXIT.general;
  for (const [flag, path, make] of outputs) {
    if (path === undefined) continue;
    const failure = await failureOf(() => files.write(path, make()));
    if (failure === undefined) continue;
    problems.push(`${flag}: ${failure.problem(path)}`);
    exitCode = failure.exitCode;
  }
  if (problems.length > 0) throw new UserError('Cannot write the output', { exitCode, problems });
}

/** What the system says to it; other errors are defects and pass. */
async function failureOf(work: () => Promise<void>) {
  try {
    await work();
    return undefined;
  } catch (error) {
    const known = asUserError(error);
    if (known === undefined) throw error;
    const reason = known.problems[0] ?? known.message;
    return {
      exitCode: known.exitCode,
      problem: (path: string) => (reason.startsWith(`${path}: `) ? reason : `${path}: ${reason}`),
    };
  }
}
