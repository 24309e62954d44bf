// Which alert a reading belongs to: its labels, the rule's labels over them, the rule's name, and the texts that go with it.
import { type Labels, labelsKey, normalLabels } from './labels.ts';
import type { Reading } from './reading.ts';
import type { AlertRule } from './rule.ts';
import { isPlain, parseTemplate, renderTemplate, type Template, type TemplateData } from './template.ts';

export interface Identity {
  readonly key: string;
  readonly labels: Labels;
  /** Of the rule's own evaluations the last one in which a series of it was there, and in which it was beyond the limit. */
  seenIn: number;
  heldIn: number;
  /** Why it was held; good as long as the readings of that evaluation. */
  reading: Reading | undefined;
}

const MAX_REMEMBERED = 5000;
const NO_TEXTS: Readonly<Record<string, string>> = Object.freeze({});

/** A rule with its templates read and the identities it has met. */
export class Identities {
  readonly #rule: AlertRule;
  readonly #labels: readonly (readonly [string, Template | string])[];
  readonly #annotations: readonly (readonly [string, Template | string])[];
  /** By the reading's key. */
  readonly #known = new Map<string, Identity>();
  /** By their own: readings with labels that the rule makes alike share one. */
  readonly #made = new Map<string, Identity>();
  readonly #onFailure: (what: string, error: unknown) => void;
  /** Whether a template can fail when an identity is made, which is to be told as soon as there is a series. */
  readonly canFail: boolean;

  constructor(rule: AlertRule, onFailure: (what: string, error: unknown) => void) {
    this.#rule = rule;
    this.#onFailure = onFailure;
    this.#labels = this.#read('label', rule.labels);
    this.canFail = this.#labels.some(([, template]) => typeof template !== 'string' && !isPlain(template));
    this.#annotations = this.#read('annotation', rule.annotations);
  }

  of(reading: Reading): Identity {
    const known = this.#known.get(reading.key);
    if (known !== undefined) return known;
    const own = this.#render('label', this.#labels, reading);
    const labels = normalLabels({ ...reading.labels, ...own, alertname: this.#rule.name });
    const key = labelsKey(labels);
    let made = this.#made.get(key);
    if (made === undefined) {
      made = { key, labels, seenIn: 0, heldIn: 0, reading: undefined };
      this.#made.set(key, made);
    }
    this.#known.set(reading.key, made);
    return made;
  }

  /** Undefined for what no reading gave. */
  withKey(key: string): Identity | undefined {
    return this.#made.get(key);
  }

  /** Before an evaluation: in its midst nothing may be forgotten. */
  prune(): void {
    if (this.#known.size < MAX_REMEMBERED) return;
    this.#known.clear();
    this.#made.clear();
  }

  annotations(data: TemplateData): Readonly<Record<string, string>> {
    return this.#annotations.length === 0 ? NO_TEXTS : this.#render('annotation', this.#annotations, data);
  }

  #read(kind: string, texts: Readonly<Record<string, string>>) {
    return Object.entries(texts).map(([name, text]) => {
      try {
        return [name, parseTemplate(text)] as const;
      } catch (error) {
        return [name, this.#failed(kind, name, error)] as const;
      }
    });
  }

  #render(kind: string, templates: readonly (readonly [string, Template | string])[], data: TemplateData) {
    const texts: Record<string, string> = {};
    for (const [name, template] of templates) {
      try {
        texts[name] = typeof template === 'string' ? template : renderTemplate(template, data);
      } catch (error) {
        texts[name] = this.#failed(kind, name, error);
      }
    }
    return texts;
  }

  /** The alert goes out all the same, and says what is missing. */
  #failed(kind: string, name: string, error: unknown): string {
    this.#onFailure(`${kind} ${name}`, error);
    return `<error expanding template: ${error instanceof Error ? error.message : String(error)}>`;
  }
}
