// Other names that settings go by: those of the environment, and those of older configuration files.

/** Environment variables besides `SYRINX_<AREA>_<KEY>`; of several for one setting, the first that is set counts. */
export const VARIABLES: readonly (readonly [name: string, key: string])[] = [
  ['OPENAI_API_KEY', 'models.api_key'],
  ['OAI_API_KEY', 'models.api_key'],
  ['OPENAI_BASE_URL', 'models.base_url'],
  ['OPENAI_LLM_MODEL', 'models.llm.model'],
  ['OPENAI_STT_MODEL', 'models.stt.model'],
  ['OPENAI_TTS_MODEL', 'models.tts.model'],
  ['OPENAI_TTS_VOICE', 'models.tts.voice'],
  ['OAI_REALTIME_URL', 'models.realtime.url'],
  ['REQUEST_TIMEOUT', 'models.timeout_ms'],
  ['LIVEKIT_URL', 'livekit.server_url'],
  ['LIVEKIT_SERVER_URL', 'livekit.server_url'],
  ['LIVEKITEX_SERVER_URL', 'livekit.server_url'],
  ['LIVEKIT_API_KEY', 'livekit.api_key'],
  ['LIVEKITEX_API_KEY', 'livekit.api_key'],
  ['LIVEKIT_API_SECRET', 'livekit.api_secret'],
  ['LIVEKITEX_API_SECRET', 'livekit.api_secret'],
  ['CONNECTION_TIMEOUT', 'livekit.connection_timeout_ms'],
  ['MAX_CONCURRENT_JOBS', 'capacity.max_sessions'],
  ['MAX_JOBS', 'capacity.max_sessions'],
  ['DRAIN_TIMEOUT', 'capacity.drain_timeout_ms'],
  ['HEALTH_CHECK_PORT', 'health_server.port'],
  ['SESSION_IDLE_TIMEOUT', 'session.idle_timeout_ms'],
  ['MAX_CONVERSATION_TURNS', 'session.max_turns'],
  ['AGENT_NAME', 'agent.name'],
  ['LIVEKITEX_AGENT_NAME', 'agent.name'],
  ['REGION', 'agent.region'],
  ['LOG_LEVEL', 'logging.level'],
  ['LIVEKITEX_LOG_LEVEL', 'logging.level'],
];

/** Name the configuration file; the first that is set counts, and `--config` wins over all. */
export const FILE_VARIABLES = ['SYRINX_CONFIG', 'LIVEKITEX_CONFIG_FILE'] as const;

/** Keys of a file that mean another key. */
export const KEYS: ReadonlyMap<string, string> = new Map([
  ['openai.api_key', 'models.api_key'],
  ['openai.base_url', 'models.base_url'],
  ['openai.llm_model', 'models.llm.model'],
  ['openai.stt_model', 'models.stt.model'],
  ['openai.tts_model', 'models.tts.model'],
  ['openai.tts_voice', 'models.tts.voice'],
  ['openai.temperature', 'models.llm.temperature'],
  ['session.idle_timeout', 'session.idle_timeout_ms'],
  ['session.max_conversation_turns', 'session.max_turns'],
  ['agent_name', 'agent.name'],
  ['region', 'agent.region'],
  ['server_url', 'livekit.server_url'],
  ['api_key', 'livekit.api_key'],
  ['api_secret', 'livekit.api_secret'],
  ['log_level', 'logging.level'],
  ['log_format', 'logging.format'],
  ['max_jobs', 'capacity.max_sessions'],
  ['max_concurrent_jobs', 'capacity.max_sessions'],
  ['drain_timeout', 'capacity.drain_timeout_ms'],
  ['health_check_port', 'health_server.port'],
  ['port', 'health_server.port'],
  ['host', 'health_server.host'],
]);
