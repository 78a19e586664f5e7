/** Who is told of alerts, as config and the environment say. */
import type { AlertTarget } from '../../app/monitor/delivery.js';
import { isRoutingKey, pagerDutyNotice, slackNotice, webhookKey, webhookNotice } from '../../app/monitor/messages.js';
import { Failure } from '../../app/failure.js';
import { secretVariable } from '../../app/ports/secrets.js';
import { isAlertUrl } from '../config/kinds.js';
import type { Setting } from '../setting.js';
import type { Surroundings } from '../io.js';

/** Fails with USAGE on a target that could not be told safely. */
export async function monitorTargets(cli: Setting & Surroundings, webhook: string | undefined): Promise<AlertTarget[]> {
  const config = await cli.config();
  const targets: AlertTarget[] = [];
  const slack = config.get('monitor.slack_url');
  if (slack !== null) targets.push({ name: 'slack', notice: (event) => slackNotice(event, slack) });
  const routingKey = secretVariable(cli.io.env, 'AIP_PAGERDUTY_KEY');
  if (routingKey !== null) {
    if (!isRoutingKey(routingKey)) {
      throw new Failure('USAGE', 'AIP_PAGERDUTY_KEY is not an integration key: 32 letters and digits.', {
        hint: 'in PagerDuty: Service, Integrations, Events API v2',
      });
    }
    const url = config.get('monitor.pagerduty_url');
    if (url === null) throw new Failure('USAGE', 'AIP_PAGERDUTY_KEY is set, and monitor.pagerduty_url is null.');
    targets.push({ name: 'pagerduty', notice: (event) => pagerDutyNotice(event, url, routingKey) });
  }
  const url = webhook ?? config.get('monitor.webhook_url');
  if (url !== null) {
    const key = webhookKey(secretVariable(cli.io.env, 'AIP_WEBHOOK_SECRET') ?? '');
    if (key === null) {
      throw new Failure(
        'USAGE',
        'A webhook is signed, and AIP_WEBHOOK_SECRET is not whsec_<base64 of 24 bytes or more> or text of 24 characters or more.',
        { hint: 'export AIP_WEBHOOK_SECRET="whsec_$(openssl rand -base64 32)"' },
      );
    }
    targets.push({ name: 'webhook', notice: (event) => webhookNotice(event, url, key) });
  }
  return targets;
}

export function alertUrl(text: string): string {
  if (!isAlertUrl(text)) throw new Error('Expected an https URL (http only to this machine itself).');
  return text;
}
