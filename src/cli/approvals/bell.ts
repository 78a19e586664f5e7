/** `--notify`: who is told that requests for approval wait at a mesh. */
import { Bell } from '../../app/approvals/bell.js';
import { webhookKey } from '../../app/monitor/messages.js';
import { Failure } from '../../app/failure.js';
import { secretVariable } from '../../app/ports/secrets.js';
import { posting } from '../../workspace/programs.js';
import { isAlertUrl } from '../config/kinds.js';
import type { Surroundings } from '../io.js';
import type { Notices } from '../output.js';
import type { Setting } from '../setting.js';

/** A bell at `url`; `page` is where its links lead. @throws Failure USAGE without a secret to sign with */
export async function requestBell(
  cli: Setting & Surroundings & Notices,
  url: string,
  page: () => string,
): Promise<Bell> {
  const key = webhookKey(secretVariable(cli.io.env, 'AIP_WEBHOOK_SECRET') ?? '');
  if (key === null)
    throw new Failure(
      'USAGE',
      'What --notify sends is signed, and AIP_WEBHOOK_SECRET is not whsec_<base64 of 24 bytes or more> or text of 24 characters or more.',
      { hint: 'export AIP_WEBHOOK_SECRET="whsec_$(openssl rand -base64 32)"' },
    );
  const onTrouble = (sentence: string): void => cli.warn(sentence, 'not_notified');
  return new Bell({ url, key, page, post: await posting(cli.workspace), onTrouble });
}

/** `https://...`, also as `webhook=https://...`. @throws Error for another text */
export function bellUrl(text: string): string {
  const url = text.replace(/^webhook=/, '');
  if (!isAlertUrl(url)) throw new Error('Expected an https URL (http only to this machine itself).');
  return url;
}
