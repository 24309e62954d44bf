// What the server is given: plain functions and values, so that it knows neither sessions nor hosts.
import type { Hono } from 'hono';
import type { LiveKitTokenOptions, LiveKitWebhookOptions } from './routes/livekit.ts';

/** Names and statuses of the contract (`GET /health`). */
export interface HealthReport {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly checks: readonly HealthCheck[];
  /** Measured values only; what is unknown is left out or null. */
  readonly system?: SystemReport | undefined;
  readonly livekit?: Readonly<Record<string, unknown>> | undefined;
  /** The specification's external services by name, each with its status or `not configured`. */
  readonly services?: Readonly<Record<string, string>> | undefined;
}
export interface HealthCheck {
  readonly name: string;
  readonly status: 'pass' | 'warn' | 'fail';
  readonly duration_ms?: number | null | undefined;
  readonly message?: string | null | undefined;
  /** When it was looked at; ISO 8601. Probes are answered from what was seen then. */
  readonly time?: string | null | undefined;
  readonly required?: boolean | undefined;
}
/** The specification's names (shares of 0 to 100), and those of the contract. */
export interface SystemReport {
  readonly status?: string | undefined;
  readonly memory_usage?: number | null | undefined;
  readonly cpu_usage?: number | null | undefined;
  readonly disk_usage?: number | null | undefined;
  readonly memory_usage_mb?: number | null | undefined;
  readonly cpu_usage_percent?: number | null | undefined;
  readonly load_average?: readonly number[] | null | undefined;
  readonly disk_usage_percent?: number | null | undefined;
}

export interface ReadyReport {
  readonly ready: boolean;
  /** Names of the services that are ready, such as `livekit` and `openai`. */
  readonly services: readonly string[];
  readonly activeJobs: number;
  readonly maxJobs: number;
  /** Why it is not ready: `starting`, `draining`, `full`, ... */
  readonly reason?: string | undefined;
}

export interface SessionInfo {
  readonly session_id: string;
  readonly status: 'initializing' | 'connected' | 'active' | 'paused' | 'disconnected' | 'error';
  /** ISO 8601, UTC. */
  readonly started_at: string;
  readonly [field: string]: unknown;
}
export interface ToolInfo {
  readonly name: string;
  readonly description: string;
  readonly [field: string]: unknown;
}

export interface AuthOptions {
  /** Bearer token. Without one, everything is open on loopback and only the probes are open elsewhere. */
  readonly token?: string | undefined;
  /** Whether the server is bound to a loopback address only. */
  readonly loopback: boolean;
  /** `/metrics` needs no token. */
  readonly openMetrics?: boolean | undefined;
  /** Origins (`https://desk.example`) that may open sockets besides pages of this server itself. */
  readonly origins?: readonly string[] | undefined;
  /** Host names that clients may call a loopback server by, besides `localhost` and addresses. */
  readonly hostnames?: readonly string[] | undefined;
  /** What a refused client is told to do where no token is configured. */
  readonly hint?: string | undefined;
}

/** What LiveKit and its clients ask of us; only where a LiveKit server is configured. */
export interface LiveKitRoutes {
  readonly token: LiveKitTokenOptions;
  readonly webhook: LiveKitWebhookOptions;
}

/** Routes of another part of the program. They lie behind the same door: token, bounds, counting, origin of what changes things. */
export interface RouteExtension {
  /** Path patterns (`/things/:id`) with the methods that `Allow` names (`GET, HEAD, OPTIONS`). */
  readonly routes: Readonly<Record<string, string>>;
  /** Adds the handlers of those routes. */
  add(app: Hono): void;
  /** Before the port closes: ends answers that would go on for ever. */
  close?(): void;
}

/** What became of a rating. */
export type RatingVerdict = 'taken' | 'unknown-session' | 'full';

export interface ServerOptions {
  readonly version: string;
  /** Epoch time of the start, ms. */
  readonly startedAtMs: number;
  /** Epoch time, ms. */
  now(): number;
  health(): HealthReport;
  ready(): ReadyReport;
  /** Prometheus text, complete. */
  metricsText(): string;
  /** The contract's `Metrics` object, for clients that prefer JSON; without it they get the text. */
  metricsJson?(): Readonly<Record<string, unknown>>;
  /** The contract's `WorkerStatus` (`worker_id`, `status`, `configuration`, `runtime_info`) and whatever is true besides;
   *  the server adds `health`, `started_at`, `uptime_seconds` and `request_count`. */
  status(): Readonly<Record<string, unknown>>;
  readonly sessions: {
    list(): readonly SessionInfo[];
    get(id: string): SessionInfo | undefined;
  };
  tools(): readonly ToolInfo[];
  /** The dashboard's data in the specification's shape; without it there is no such route. */
  dashboard?(): Readonly<Record<string, unknown>>;
  /** Takes a rating of a session that runs or has ended lately; without it there is no such route. */
  rate?(sessionId: string, rating: { readonly rating: number; readonly kind: string }): RatingVerdict;
  readonly extensions?: readonly RouteExtension[] | undefined;
  readonly auth: AuthOptions;
  readonly requests: RequestRecorder;
  readonly livekit?: LiveKitRoutes | undefined;
  /** Told of errors that a route threw; the client only reads "internal error". */
  onError?(error: unknown): void;
}

export interface RequestRecorder {
  /** `route` is a pattern of this server or `other`; the labels are bounded. */
  record(method: string, route: string, status: number): void;
  total(): number;
  /** A request is being answered, until `ended`. */
  began?(): void;
  ended?(): void;
}
