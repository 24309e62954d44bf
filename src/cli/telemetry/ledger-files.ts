// Writes each call's ledger to a file after every turn and at the end, for those who watch calls from outside.
import type { Files } from '../../hosts/port.ts';
import type { Logger } from '../../ops/logs.ts';
import type { Call } from '../../runner/call.ts';
import type { CallRequest, Runtime } from '../compose.ts';
import { systemProblem, UserError } from '../user-error.ts';
import { EXIT } from '../exit-codes.ts';

/** Stands for the session's id in the name of the file. Without it the newest call's ledger is in the file. */
const PLACE = '{session}';

/** The same runtime; calls that it opens leave their ledgers. Rejects with `UserError` when no file can be written there. */
export async function withLedgerFiles(runtime: Runtime, files: Files, pattern: string, log: Logger): Promise<Runtime> {
  if (pattern === '') {
    throw new UserError('Cannot write ledgers', { exitCode: EXIT.config, problems: ['--ledger: a name is wanted'] });
  }
  const nameOf = (id: string) => pattern.replaceAll(PLACE, id);
  await files
    .checkWritable(nameOf(crypto.randomUUID()))
    .catch(systemProblem('Cannot write ledgers', `--ledger: ${pattern}`));
  const open = (request: CallRequest): Call => {
    let isWriting = false;
    let isDue = false;
    let hasFailed = false;
    const call = runtime.open({
      ...request,
      onTelemetry(event) {
        request.onTelemetry?.(event);
        // The session is in the middle of its turn.
        if (event.type === 'turn') queueMicrotask(write);
      },
    });
    /** One file at a time; what comes meanwhile is in the next. */
    function write(): void {
      isDue = true;
      if (isWriting || hasFailed) return;
      isWriting = true;
      void rewrite().finally(() => {
        isWriting = false;
      });
    }
    async function rewrite(): Promise<void> {
      while (isDue) {
        isDue = false;
        try {
          await files.write(nameOf(call.id), new TextEncoder().encode(`${JSON.stringify(call.ledger(), null, 1)}\n`));
        } catch (error) {
          hasFailed = true;
          log.error('ledger can not be written, the call goes on without it', { sessionId: call.id, error });
          return;
        }
      }
    }
    void call.done.then(write);
    return call;
  };
  return Object.create(runtime, { open: { value: open } }) as Runtime;
}
