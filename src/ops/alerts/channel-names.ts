// The channels that the specification and this program know by name.

/** Rules may name these before they are configured; the engine says so and tells nobody by them. */
export const GRANTED_CHANNELS = ['email', 'webhook', 'pagerduty', 'slack', 'alertmanager'] as const;
