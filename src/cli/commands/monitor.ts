import { agentNamed } from '../../app/passports/agent-named.js';
import { AlertDelivery } from '../../app/monitor/delivery.js';
import { eventOf } from '../../app/monitor/alerts.js';
import { Failure } from '../../app/failure.js';
import { checkAgents, type MonitorLimits } from '../../app/monitor/check.js';
import type { AlertEvent } from '../../app/ports/monitor.js';
import { formatTime } from '../../protocol/time.js';
import type { Cli } from '../cli.js';
import type { Config } from '../config/load.js';
import { alertUrl, monitorTargets } from '../monitor/targets.js';
import { monitorStanding } from '../monitor/standing.js';
import { PASSPHRASE_OPTIONS } from '../input/options.js';
import { renderAlert } from '../render/alert.js';
import { counted, safeJson } from '../render/terminal/text.js';
import { letGoHourly } from '../logs/retention.js';
import type { CommandSpec } from '../spec.js';
import { trustRules } from '../config/trust-rules.js';
import { durationMs } from '../input/values.js';
import { pause } from '../../workspace/files.js';
import { finding, type KeyPlaces } from '../../workspace/keys.js';
import { posting } from '../../workspace/programs.js';
import { localState, monitorMemory } from '../../workspace/state.js';
import { documentReader } from '../input/documents.js';

interface Options extends KeyPlaces {
  readonly agent: readonly string[];
  readonly interval: number;
  readonly once: boolean;
  readonly webhook?: string;
}

export const command: CommandSpec<Options> = {
  path: ['monitor'],
  summary: 'Watch how agents behave, tell people, and stop agents that must be',
  detail:
    'Alerts when trust or the failure rate passes its limit, on suspicious patterns and on revocations; each is told once and resolved when it ends. Revokes by itself only with monitor.auto_revoke.',
  options: [
    {
      title: 'Flags',
      options: [
        {
          flags: '--agent <agent>',
          description: 'only this one (default: all)',
          repeatable: true,
          values: 'agent',
        },
        {
          flags: '--interval <time>',
          description: 'time between checks (default 5s)',
          default: 5_000,
          value: interval,
        },
        { flags: '--once', description: 'check once; exit 15 when an alert is open' },
        { flags: '--webhook <url>', description: 'instead of monitor.webhook_url', value: alertUrl },
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    { run: 'aip monitor', why: 'as a service; a line an event' },
    { run: 'aip monitor --once --json', why: 'from cron or CI' },
    { run: 'AIP_MONITOR_AUTO_REVOKE=true aip monitor --interval 1s', why: 'stops agents under 0.5 by itself' },
  ],
  exits: {
    3: 'an agent does not exist',
    4: 'the key store is missing, locked or refuses',
    15: 'with --once: an alert is open',
    130: 'stopped with Ctrl-C',
    143: 'terminated',
  },
  touches: ['state', 'network', 'keychain'],
  topics: ['trust-scores', 'logs', 'config'],

  async run({ options }, cli) {
    const [state, config] = await Promise.all([localState(cli.workspace), cli.config()]);
    state.conduct.judgeBy(trustRules(config));
    const limits = limitsOf(config);
    const agents = options.agent.length === 0 ? null : await agentsNamed(cli, options.agent);
    const targets = await monitorTargets(cli, options.webhook);
    const [memory, post, mesh] = await Promise.all([
      monitorMemory(cli.workspace),
      posting(cli.workspace),
      monitorStanding(cli, options, limits.autoRevoke),
    ]);
    const { now } = cli.io;
    const { signal } = cli.io.interruption;
    const courier = new AlertDelivery({
      memory,
      targets,
      post,
      clock: now,
      onTrouble: (...trouble) => tellTrouble(cli, ...trouble),
    });
    const names = targets.map(({ name }) => name);
    const { standing, standingNow, revoke } = mesh;
    const deps = { state, memory, targets: names, standing, standingNow, revoke };
    const seen = { checks: 0, raised: 0, resolved: 0, open: 0 };
    const started = now();

    // `alsoOpen`: what was told before, and is open still, is shown as well.
    const check = async (alsoOpen: boolean) => {
      await mesh.refresh();
      const { mine, events } = await checkAgents(deps, limits, agents, now());
      seen.checks += 1;
      seen.open = mine.length;
      for (const event of events) {
        seen[event.event === 'resolved' ? 'resolved' : 'raised'] += 1;
        show(cli, event);
      }
      const told = new Set(events.map(({ key }) => key));
      const time = formatTime(now());
      if (alsoOpen)
        for (const alert of mine) if (!told.has(alert.key)) show(cli, eventOf(alert, 'open', time, state.verifier));
      return mine.length;
    };

    if (options.once) {
      const open = await check(true);
      await courier.round();
      if (open === 0) cli.note('No alert is open.');
      return open === 0 ? 0 : 15;
    }

    let over = false;
    let broken: { readonly error: unknown } | null = null;
    cli.afterwards(() => void (over = true));
    cli.onInterrupt(() => {
      const { checks, raised, resolved, open } = seen;
      const seconds = Math.max(0, Math.round((now() - started) / 1000));
      cli.note(`${raised} raised, ${resolved} resolved, ${open} open; ${counted(checks, 'check')} in ${seconds} s`);
    });
    cli.note(
      `watching ${agents === null ? 'all agents' : agents.length}; telling ${names.join(', ') || 'nobody but this output'}`,
    );
    await letGoHourly(cli);
    while (!signal.aborted && !over) {
      if (broken !== null) tellFailure(cli, (broken as { readonly error: unknown }).error);
      broken = null;
      // A person who starts it sees how things stand; a service's log has it from the monitor before.
      await check(cli.forPerson && seen.checks === 0).catch((error: unknown) => tellFailure(cli, error));
      // Not waited for: a target that is down must not keep anyone from being revoked.
      void courier.round().catch((error: unknown) => (broken = { error }));
      await pause(options.interval, signal);
    }
    return 0;
  },
};

function interval(text: string): number {
  const ms = durationMs(text);
  if (ms < 50 || ms > 3_600_000) throw new Error('Expected a time from 50ms to 1h.');
  return ms;
}

async function agentsNamed(cli: Cli, names: readonly string[]): Promise<string[]> {
  const deps = await finding(cli.workspace, documentReader(cli));
  return [...new Set(await Promise.all(names.map((name) => agentNamed(deps, name))))];
}

function limitsOf(config: Config): MonitorLimits {
  return {
    minTrust: config.get('monitor.min_trust'),
    maxFailureRate: config.get('monitor.max_failure_rate'),
    revokeUnder: config.get('monitor.revoke_under'),
    autoRevoke: config.get('monitor.auto_revoke'),
    maxRevocationsPerHour: config.get('monitor.max_revocations_per_hour'),
    windowMs: config.get('monitor.window'),
  };
}

function show(cli: Cli, event: AlertEvent): void {
  cli.out(cli.forPerson ? renderAlert(event, cli.paint, cli.width) : safeJson(event));
}

function tellTrouble(cli: Cli, target: string, reason: string, lost: boolean): void {
  if (cli.io.interruption.reason !== null) return;
  cli.warn(`${target} was not told: ${reason}${lost ? '; it will not be tried again' : '; trying again'}`, 'not_told');
}

/** What passes is waited for; a bug or a damaged file ends the monitor, so that its supervisor notices. */
function tellFailure(cli: Cli, error: unknown): void {
  if (cli.io.interruption.reason !== null) return;
  if (!(error instanceof Failure) || !error.retryable) throw error;
  cli.warn(`${error.message} Trying again.`, error.code);
}
