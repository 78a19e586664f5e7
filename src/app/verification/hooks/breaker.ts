/** A circuit breaker: what failed again and again is not waited for, and its stated fallback holds at once. No clock of its own. */

/** So many failures ... */
const FAILURES = 5;
/** ... within this time (ms) open it ... */
const WITHIN_MS = 10_000;
/** ... for this long (ms); then one probe closes it, or opens it again. */
const OPEN_MS = 5_000;
/** Names that are kept; what is forgotten is closed. */
const MOST = 10_000;

interface Circuit {
  /** When it failed, ms since the epoch, oldest first. */
  failures: number[];
  openUntil: number | null;
  probing: boolean;
}

/** One circuit a name: a hook and an agent, so that one agent's slow input refuses no other agent. */
export class Breaker {
  readonly #circuits = new Map<string, Circuit>();

  /** True where `name` may be asked at `now`; of an open circuit whose time is over, for one at a time. */
  admits(name: string, now: number): boolean {
    const circuit = this.#circuits.get(name);
    if (circuit === undefined || circuit.openUntil === null) return true;
    // A clock that was set back keeps nothing open for longer.
    const isOpen = now < circuit.openUntil && circuit.openUntil - now <= OPEN_MS;
    if (isOpen || circuit.probing) return false;
    circuit.probing = true;
    return true;
  }

  /** What was admitted has ended. */
  ended(name: string, ok: boolean, now: number): void {
    if (ok) {
      this.#circuits.delete(name);
      return;
    }
    const circuit = this.#circuits.get(name) ?? { failures: [], openUntil: null, probing: false };
    const probed = circuit.probing;
    circuit.probing = false;
    circuit.failures = [...circuit.failures.filter((at) => at > now - WITHIN_MS), now].slice(-FAILURES);
    if (probed || circuit.failures.length >= FAILURES) circuit.openUntil = now + OPEN_MS;
    if (this.#circuits.size >= MOST) this.#circuits.clear();
    this.#circuits.set(name, circuit);
  }
}
