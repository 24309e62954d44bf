// Which alert a reading belongs to: its labels, the rule's labels over them, the rule's name, and the texts that go with it.
import { fingerprint, type Labels, labelsKey, normalLabels } from './labels.ts';
import type { Reading } from './reading.ts';
import type { AlertRule } from './rule.ts';
import { parseTemplate, renderTemplate, type Template, type TemplateData } from './template.ts';

export interface Identity {
  readonly key: string;
  readonly labels: Labels;
  readonly fingerprint: string;
}

const MAX_REMEMBERED = 5000;

/** A rule with its templates read and the identities it has met. */
export class Identities {
  readonly #rule: AlertRule;
  readonly #labels: readonly (readonly [string, Template | string])[];
  readonly #annotations: readonly (readonly [string, Template | string])[];
  readonly #known = new Map<string, Identity>();
  readonly #onFailure: (what: string, error: unknown) => void;

  constructor(rule: AlertRule, onFailure: (what: string, error: unknown) => void) {
    this.#rule = rule;
    this.#onFailure = onFailure;
    this.#labels = this.#read('label', rule.labels);
    this.#annotations = this.#read('annotation', rule.annotations);
  }

  of(reading: Reading): Identity {
    const known = this.#known.get(reading.key);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    const own = this.#render('label', this.#labels, reading);
    const labels = normalLabels({ ...reading.labels, ...own, alertname: this.#rule.name });
    const made = { key: labelsKey(labels), labels, fingerprint: fingerprint(labels) };
    this.#known.set(reading.key, made);
    return made;
  }

  annotations(data: TemplateData): Record<string, string> {
    return this.#render('annotation', this.#annotations, data);
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
