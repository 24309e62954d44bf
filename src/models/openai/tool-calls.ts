// Puts streamed pieces of tool calls together.
import { ModelError, type ToolCall } from '../port.ts';

/** One piece as it is on the wire; servers leave out `index` or `id`, each in its own way. */
export interface ToolCallDelta {
  readonly index?: number | undefined;
  readonly id?: string | null | undefined;
  readonly function?: { readonly name?: string | null | undefined; readonly arguments?: string | null | undefined };
}
export interface ToolCallAssembler {
  /** Calls begun so far. */
  readonly count: number;
  /** Takes a piece; returns the call that it completes by beginning another. */
  add(delta: ToolCallDelta, responseId: string): ToolCall[];
  /** The stream is at its end: returns what is left. Throws `ModelError` for a call without a name. */
  end(): ToolCall[];
}

export function createToolCallAssembler(source: string): ToolCallAssembler {
  let open: { index: number | undefined; id: string; name: string; args: string } | undefined;
  let count = 0;
  const end = (): ToolCall[] => {
    if (!open) return [];
    const { id, name, args } = open;
    open = undefined;
    if (!name) throw new ModelError('protocol', source, 'A tool call has no name');
    return [{ id, name, arguments: args || '{}' }];
  };
  return {
    get count() {
      return count;
    },
    add(delta, responseId) {
      const another =
        !open ||
        (delta.index !== undefined && open.index !== undefined
          ? delta.index !== open.index
          : Boolean(delta.id) && delta.id !== open.id);
      const done = another ? end() : [];
      if (another) {
        open = { index: delta.index, id: delta.id || `${responseId}_${count}`, name: '', args: '' };
        count += 1;
      }
      if (open) {
        open.name += delta.function?.name ?? '';
        open.args += delta.function?.arguments ?? '';
      }
      return done;
    },
    end,
  };
}
