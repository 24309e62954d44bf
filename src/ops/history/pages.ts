// Bytes of many series that grow side by side, in pages that all of them share, packed as soon as they are full: nothing is moved as they grow, and nothing
// kept in reserve.
import type { Compression } from '../../hosts/port.ts';
import type { ByteWriter } from './bytes.ts';
import type { Pacer } from './pacer.ts';

/** Packed at once, in less than half a millisecond. */
const PAGE_BYTES = 8192;
/** Pages that stand unpacked: whoever reads one series after the other needs that of each minute again. */
const AT_HAND = 128;

interface FullPage {
  readonly bytes: Uint8Array;
  /** Unpacked. */
  readonly length: number;
  readonly isPacked: boolean;
}

export class Pages {
  readonly #compression: Compression | undefined;
  readonly #full: FullPage[] = [];
  readonly #open = new Uint8Array(PAGE_BYTES);
  #used = 0;
  readonly #atHand = new Map<number, Uint8Array>();

  constructor(compression: Compression | undefined) {
    this.#compression = compression;
  }

  /** Keeps a copy; returns where it is. */
  add(bytes: Uint8Array): number {
    if (this.#used > 0 && this.#used + bytes.length > PAGE_BYTES) this.#close();
    const at = this.#full.length * PAGE_BYTES + this.#used;
    if (bytes.length > PAGE_BYTES) this.#full.push({ bytes: bytes.slice(), length: bytes.length, isPacked: false });
    else {
      this.#open.set(bytes, this.#used);
      this.#used += bytes.length;
    }
    return at;
  }

  #close(): void {
    const bytes = this.#open.subarray(0, this.#used);
    const packed = this.#compression?.deflate(bytes);
    // A copy of what is packed, too: hosts answer with a part of something larger.
    this.#full.push({ bytes: (packed ?? bytes).slice(), length: this.#used, isPacked: packed !== undefined });
    this.#used = 0;
  }

  /** To be copied before anything else is added. */
  view(at: number, length: number): Uint8Array {
    const from = at % PAGE_BYTES;
    return this.#page((at - from) / PAGE_BYTES).subarray(from, from + length);
  }

  #page(number: number): Uint8Array {
    const page = this.#full[number];
    if (page === undefined) return this.#open;
    if (!page.isPacked) return page.bytes;
    const known = this.#atHand.get(number);
    if (known !== undefined) return known;
    const bytes = this.#compression?.inflate(page.bytes, page.length) ?? page.bytes;
    for (const oldest of this.#atHand.keys()) {
      if (this.#atHand.size < AT_HAND) break;
      this.#atHand.delete(oldest);
    }
    this.#atHand.set(number, bytes);
    return bytes;
  }
}

/** The bytes of one series. */
export class Run {
  readonly #pages: Pages;
  /** Place and length of each part. */
  readonly #parts: number[];

  constructor(pages: Pages, parts: number[] = []) {
    this.#pages = pages;
    this.#parts = parts;
  }

  add(bytes: Uint8Array): void {
    this.#parts.push(this.#pages.add(bytes), bytes.length);
  }

  /** As it is now, whatever is added later. */
  snapshot(): Run {
    return new Run(this.#pages, this.#parts.slice());
  }

  async writeTo(out: ByteWriter, pacer: Pacer): Promise<void> {
    for (let i = 0; i < this.#parts.length; i += 2) {
      out.bytes(this.#pages.view(this.#parts[i] as number, this.#parts[i + 1] as number));
      if (pacer.tired) await pacer.rest();
    }
  }
}
