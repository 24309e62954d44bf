// Runs on the browser's audio thread: packs the microphone into 20 ms of PCM16, plays what comes, and knows what was heard.

class Line extends AudioWorkletProcessor {
  constructor() {
    super();
    this.frame = new Int16Array(sampleRate / 50);
    this.filled = 0;
    /** Packets that wait to be played, the first of them from `offset` on. */
    this.queue = [];
    this.offset = 0;
    /** Position of the next sample to be heard, as the server counts; and what was reported last. */
    this.played = 0;
    this.reported = 0;
    /** Position of the next packet that comes. */
    this.next = 0;
    this.port.onmessage = ({ data }) => this.take(data);
  }

  take({ samples, position, clear }) {
    if (clear) {
      // First how much was heard of what is dropped.
      this.report();
      this.queue = [];
      this.offset = 0;
    }
    if (position !== undefined) this.next = position;
    if (samples) {
      const packet = new Int16Array(samples);
      this.queue.push({ packet, start: this.next });
      this.next += packet.length;
    }
  }

  report() {
    if (this.played === this.reported) return;
    this.reported = this.played;
    this.port.postMessage({ played: this.played });
  }

  process(inputs, outputs) {
    const input = inputs[0]?.[0];
    for (let i = 0; input && i < input.length; i++) {
      this.frame[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(input[i] * 32768)));
      if (this.filled < this.frame.length) continue;
      this.port.postMessage(this.frame.buffer.slice(0));
      this.filled = 0;
      this.report();
    }
    const output = outputs[0][0];
    for (let i = 0; i < output.length && this.queue.length > 0; i++) {
      const { packet, start } = this.queue[0];
      output[i] = packet[this.offset++] / 32768;
      this.played = start + this.offset;
      if (this.offset < packet.length) continue;
      this.queue.shift();
      this.offset = 0;
    }
    return true;
  }
}

registerProcessor('line', Line);
