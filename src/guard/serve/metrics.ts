/** What the service counts, in the text format of Prometheus. */
import type { Warning } from '../../verify/decision.js';

/** Counts since the service began. */
export class ServiceCounters {
  readonly #decisions = new Map<string, number>();
  readonly #replies = new Map<number, number>();
  #circuitOpen = 0;

  /** A decision: its code, null for a yes. */
  decided(code: string | null, warnings: readonly Warning[] = []): void {
    // A hook's own code may be anything of at most 64 characters of a small alphabet.
    const key = code ?? 'accepted';
    this.#decisions.set(key, (this.#decisions.get(key) ?? 0) + 1);
    if (warnings.some((warning) => warning.code === 'circuit_open')) this.#circuitOpen++;
  }

  /** A shared memory was not waited for, and nothing was decided. */
  circuitOpen(): void {
    this.#circuitOpen++;
  }

  /** A reply of this HTTP status. */
  replied(status: number): void {
    this.#replies.set(status, (this.#replies.get(status) ?? 0) + 1);
  }

  /** Name, type, labels and value of each sample. */
  samples(): readonly (readonly [name: string, labels: string, value: number])[] {
    return [
      ...[...this.#decisions].map(([code, n]) => ['aip_decisions_total', `{code="${code}"}`, n] as const),
      ...[...this.#replies].map(([status, n]) => ['aip_replies_total', `{status="${status}"}`, n] as const),
      ['aip_circuit_open_total', '', this.#circuitOpen],
    ];
  }
}

const HELP: Readonly<Record<string, string>> = {
  aip_decisions_total: 'Decisions by code; accepted for a yes.',
  aip_replies_total: 'HTTP replies by status.',
  aip_circuit_open_total: 'Requests answered while a circuit breaker was open.',
};

/** The counts as text. */
export function metricsText(tally: ServiceCounters): string {
  const samples = tally.samples();
  return Object.entries(HELP)
    .map(([name, help]) => {
      const own = samples.filter((sample) => sample[0] === name);
      const lines = own.map(([, labels, value]) => `${name}${labels} ${value}\n`).join('');
      return `# HELP ${name} ${help}\n# TYPE ${name} counter\n${lines}`;
    })
    .join('');
}
