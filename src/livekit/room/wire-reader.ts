// Reads protobuf messages by hand: numbers, and what is to be passed over.

/** A place in a message. Reading past its end gives zeros, so that a cut message ends instead of throwing. Allocates nothing. */
export class WireReader {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;

  /** Begins at `at`, after the tag; returns where the message that lies there ends by its own length. */
  open(bytes: Uint8Array, at: number): number {
    this.bytes = bytes;
    this.at = at;
    return this.end();
  }

  /** Reads a length; returns where what it speaks of ends. */
  end(): number {
    const length = this.varint();
    return length + this.at;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let n = 0; n < 10; n++) {
      const byte = this.bytes[this.at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 128;
    }
    return value;
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.at += 8;
    else if (wireType === 2) this.at = this.end();
    else if (wireType === 5) this.at += 4;
    else this.at = this.bytes.length;
  }
}
