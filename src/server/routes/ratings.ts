// `POST /sessions/{id}/rating`: what a person thinks of a call. Numbers only; comments would be words of people.
import type { Context, Hono } from 'hono';
import { RATING_KINDS } from '../../agent/agent-session.ts';
import { failure } from '../answers.ts';
import { readJson } from '../bodies.ts';
import type { RatingVerdict } from '../options.ts';

export const RATING_PATH = '/sessions/:id/rating';

export interface RatingRouteOptions {
  /** Epoch time, ms. */
  now(): number;
  rate(sessionId: string, rating: { readonly rating: number; readonly kind: string }): RatingVerdict;
  readonly setTimer?: ((run: () => void, ms: number) => () => void) | undefined;
}

export function addRatings(app: Hono, options: RatingRouteOptions): void {
  app.post(RATING_PATH, async (c: Context) => {
    const body = await readJson(c, options.setTimer);
    if ('problem' in body) {
      if (body.problem === 'slow') return failure(options, 408, 'body_too_slow', 'The body did not come in time');
      return failure(options, 400, 'invalid_json', 'Send JSON: {"rating": 1 to 5, "kind": "overall"}');
    }
    const given = body.value;
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      return failure(options, 400, 'invalid_rating', 'Send an object: {"rating": 1 to 5, "kind": "overall"}');
    }
    const { rating, kind = 'overall', ...others } = given as Record<string, unknown>;
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) {
      return failure(
        options,
        400,
        'invalid_rating',
        `"${unknown.slice(0, 64)}" is not known; the fields are rating, kind`,
      );
    }
    if (typeof rating !== 'number' || !(rating >= 1 && rating <= 5)) {
      return failure(options, 400, 'invalid_rating', '"rating" must be a number from 1 to 5');
    }
    if (typeof kind !== 'string' || !(RATING_KINDS as readonly string[]).includes(kind)) {
      return failure(options, 400, 'invalid_rating', `"kind" must be one of ${RATING_KINDS.join(', ')}`);
    }
    const id = c.req.param('id') ?? '';
    const verdict = options.rate(id, { rating, kind });
    if (verdict === 'unknown-session') {
      return failure(options, 404, 'session_not_found', 'No session has this id, or it ended too long ago');
    }
    if (verdict === 'full')
      return failure(options, 429, 'too_many_ratings', 'This session has been rated often enough');
    return c.json({ session_id: id, rating, kind }, 201);
  });
}
