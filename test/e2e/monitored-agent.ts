// An agent for the tests that watches its own calls: the specification's example, with one limit that every call exceeds.
import { defineAgent, RealtimeMonitor } from 'syrinx';

export default defineAgent({
  instructions: 'Be brief.',
  onSession(session) {
    const monitor = RealtimeMonitor.start({
      sessionPid: session.id,
      components: ['audio_processor', 'webrtc_handler', 'llm_client'],
      alertThresholds: { latency_ms: 150, quality_score: 3.0, memory_mb: 1, cpu_percent: 70, error_rate: 0.05 },
    });
    monitor.subscribe((event) => {
      if (event.type === 'alert' && event.alert.metric === 'memory_mb') console.log(`MONITOR ${event.alert.state}`);
      if (event.type === 'ended') console.log(`MONITOR ended, ${monitor.history().length} ticks`);
    });
  },
});
