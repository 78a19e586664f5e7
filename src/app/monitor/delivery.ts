/** Brings queued alerts to their targets, each at its own pace: one that is down does not hold up the others. */
import type { AlertEvent, Delivery, MonitorMemory, Notice, TargetName } from '../ports/monitor.js';
import type { Clock } from '../ports/state.js';

/** Where alerts go, and the form that they take there. */
export interface AlertTarget {
  readonly name: TargetName;
  readonly notice: (event: AlertEvent) => Notice;
}

/** What bringing alerts to their targets needs. */
export interface AlertDeliveryDeps {
  readonly memory: Pick<MonitorMemory, 'outgoing' | 'sent'>;
  readonly targets: readonly AlertTarget[];
  readonly post: (notice: Notice) => Promise<Delivery>;
  readonly clock: Clock;
  /** Said once a trouble: `lost` is true when this alert will not reach the target. */
  readonly onTrouble: (target: TargetName, reason: string, lost: boolean) => void;
}

/** A target cannot ask to be left alone for longer, ms. */
const LONGEST_HOLD = 15 * 60_000;

/** Brings what is queued to each target in its order, and tries again later what was not taken. */
export class AlertDelivery {
  readonly #deps: AlertDeliveryDeps;
  readonly #busy = new Map<TargetName, Promise<void>>();
  readonly #holdUntil = new Map<TargetName, number>();
  readonly #said = new Map<TargetName, string>();
  delivered = 0;

  constructor(deps: AlertDeliveryDeps) {
    this.#deps = deps;
  }

  /** Resolves when every target has been told all, or could not be. A target that is being told already is left at it. */
  async round(): Promise<void> {
    await Promise.all(
      this.#deps.targets.map((target) => {
        const running = this.#busy.get(target.name);
        if (running !== undefined) return running;
        const work = this.#tell(target).finally(() => this.#busy.delete(target.name));
        this.#busy.set(target.name, work);
        return work;
      }),
    );
  }

  async #tell({ name, notice }: AlertTarget): Promise<void> {
    const { memory, post, clock, onTrouble } = this.#deps;
    if (clock() < (this.#holdUntil.get(name) ?? 0)) return;
    for (const { id, event } of memory.outgoing(name)) {
      const delivery = await post(notice(event));
      if (delivery.kind === 'delivered') {
        this.delivered += 1;
        this.#said.delete(name);
        memory.sent(id);
      } else if (delivery.kind === 'refused') {
        memory.sent(id);
        onTrouble(name, delivery.reason, true);
      } else {
        this.#holdUntil.set(name, clock() + Math.min(delivery.waitMs, LONGEST_HOLD));
        if (this.#said.get(name) !== delivery.reason) onTrouble(name, delivery.reason, false);
        this.#said.set(name, delivery.reason);
        return;
      }
    }
  }
}
