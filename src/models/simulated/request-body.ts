// JSON bodies of requests: read, checked, and refused with the place that is wrong.
import * as v from 'valibot';
import { invalid, missing, WireError } from './wire.ts';

/** Throws `WireError` (400). */
export async function parseBody<const Schema extends v.GenericSchema>(
  request: Request,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  let value: unknown;
  try {
    value = await request.json();
  } catch {
    throw new WireError(400, 'We could not parse the JSON body of your request.', { code: 'invalid_json' });
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const path = v.getDotPath(issue) ?? 'body';
  throw issue.received === 'undefined' ? missing(path) : invalid(path, issue.expected ?? issue.message);
}
