// Simulated models: OpenAI's wire without OpenAI, for demonstrations, tests and load.
export {
  createSimulatedOpenAi,
  MODEL_IDS,
  type SimulatedOpenAi,
  type SimulatedRequest,
  type SimulatedServerOptions,
} from './app.ts';
export { type Clock, hostClock } from './clock.ts';
export { demoAgent, type DemoDialogue, demoDialogue, type DemoPhrase } from './demo.ts';
export { type Fault, FAULT_KINDS, parseFault, type Route, ROUTES } from './faults.ts';
export { type Latency, type ProfileName, PROFILE_NAMES, PROFILES } from './latency.ts';
export { parseSimulatedOptions, SIMULATE_FLAGS, type SimulatedOptions, SimulatedOptionsSchema } from './options.ts';
export { createRecognizer, CUT, type KnownRecording, type Recognition, type Recognizer } from './recognizer.ts';
export { loadRecordings, parseScript, type Script, ScriptSchema } from './script.ts';
