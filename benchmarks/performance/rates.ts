// How often a second: agents, tools, sessions, messages; and what a registry of tools weighs.
import process from 'node:process';
import { type Agent, defineAgent, tool } from '../../src/agent/define-agent.ts';
import { instantModels } from '../conversation.ts';
import { timeMs } from '../statistics.ts';
import { benchmarkRuntime, openCall, openWrittenCall } from './calls.ts';
import type { Measurement } from './report.ts';

function parameters() {
  return { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
}

function testTool(name: string) {
  return { name, description: 'Tells the weather of a city.', parameters: parameters(), run: () => 'sunny' };
}

/** REG-01: an agent with a tool, as the specification makes one. */
export function createAgent(i: number): Agent {
  return defineAgent({ instructions: `Test agent ${i}`, tools: [testTool('test_tool')] });
}

/** Repetitions a second, from the median run. */
export function rate(work: (i: number) => void, times: number): number {
  let i = 0;
  const { median } = timeMs(() => {
    for (let k = 0; k < times; k++) work(i++);
  });
  return (times * 1000) / median;
}

/** Objects made, frozen and checked a second by plain code: the speed of this machine now. */
export function controlRate(): number {
  return rate((i) => {
    const made = Object.freeze({ name: `object ${i}`, list: Object.freeze([parameters()]) });
    if (!/^object \d+$/.test(made.name)) throw new Error('unreachable');
  }, 20_000);
}

export function measureDefinitions(): Measurement[] {
  const control = { what: 'plain frozen objects/s', value: controlRate() };
  let made = 0;
  return [
    {
      id: 'THR-07',
      value: rate((i) => void (made += createAgent(i).tools.length), 5000),
      method: '`defineAgent` with instructions and a tool; median of 5 runs of 5000',
      control,
    },
    {
      id: 'THR-08',
      value: rate((i) => void (made += tool(testTool(`tool_${i}`)).name.length), 5000),
      method: '`tool` with a JSON Schema; median of 5 runs of 5000',
      control,
    },
  ];
}

/** Sessions opened, given a transport and closed, one after the other, in a full runtime. */
export async function measureSessionStart(times: number): Promise<Measurement> {
  const runtime = benchmarkRuntime({ models: instantModels(1000) });
  const once = async () => {
    const call = openCall(runtime);
    call.close('measured');
    await call.done;
  };
  for (let i = 0; i < times / 5; i++) await once();
  const fromMs = performance.now();
  for (let i = 0; i < times; i++) await once();
  const value = (times * 1000) / (performance.now() - fromMs);
  const control = { what: 'plain frozen objects/s', value: controlRate() };
  return {
    id: 'THR-09',
    value,
    method: `${times} sessions opened and closed in turn, slots and voice included`,
    control,
  };
}

/** Typed messages in one session: the next is sent when the first sound of the answer was handed out. */
export async function measureMessages(times: number): Promise<Measurement> {
  const runtime = benchmarkRuntime({ models: instantModels(1000) });
  const call = openWrittenCall(runtime);
  const once = () => call.ask('How is the weather?');
  for (let i = 0; i < times / 5; i++) await once();
  const fromMs = performance.now();
  for (let i = 0; i < times; i++) await once();
  const value = (times * 1000) / (performance.now() - fromMs);
  await runtime.closeAll('measured');
  return {
    id: 'THR-10',
    value,
    method: `${times} messages to one session with instant models, each to its first sound`,
    control: { what: 'plain frozen objects/s', value: controlRate() },
  };
}

/** Heap of 100 tools, from 100 registries at once; null where garbage can not be collected on demand. */
export function measureToolMemory(): Measurement | null {
  const collect = collector();
  if (collect === null) return null;
  const registries = 100;
  const fill = (n: number) => defineAgent({ instructions: `${n}`, tools: names.map((name) => tool(testTool(name))) });
  const names = Array.from({ length: 100 }, (_, i) => `tool_${i}`);
  const kept = [fill(0)];
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 1; i <= registries; i++) kept.push(fill(i));
  collect();
  const bytes = (process.memoryUsage().heapUsed - before) / registries;
  if (kept.length !== registries + 1) throw new Error('unreachable');
  return {
    id: 'RES-04',
    value: bytes / 1e6,
    method: `heap of ${registries} agents with 100 tools, divided by ${registries}`,
  };
}

/** Node and Deno have one when they were started with `--expose-gc`. */
export function collector(): (() => void) | null {
  const { Bun: bun, gc } = globalThis as { Bun?: { gc(force: boolean): void }; gc?: () => void };
  if (bun !== undefined) return () => bun.gc(true);
  return gc ?? null;
}
