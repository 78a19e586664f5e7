/** What `aip doctor` looks at where a mesh is configured. No key store is opened: an API key is sent only from the environment or its file. */
import { EXIT, failedFinding, ok, warning, type Finding } from '../../app/setup/doctor.js';
import { Failure } from '../../app/failure.js';
import { provenText } from '../../protocol/time.js';
import { clockAhead, isKeyRefused, type MeshCopy } from '../../app/ports/mesh.js';
import type { Config } from '../config/load.js';
import { surveyMesh } from '../../app/mesh/overview.js';
import { apiKey, meshAccess, type MeshAccess } from '../mesh/access.js';
import { secretFile } from '../../workspace/keys.js';
import { meshCheck, meshLines } from '../../workspace/mesh.js';
import { localState } from '../../workspace/state.js';
import { configuredCopy } from '../mesh/access.js';
import type { Setting } from '../setting.js';
import type { Surroundings } from '../io.js';
import type { Notices } from '../output.js';

/** What these functions need of a command. */
type Scene = Setting & Surroundings & Notices;

const TIMEOUT_MS = 2_000;

/** `hasState`: false where there is no state to look into; none is made. */
export async function* inspectMesh(cli: Scene, config: Config, hasState: boolean): AsyncGenerator<Finding> {
  const access = await meshAccess(cli);
  if (access === null) return;
  yield await inspectKey(cli, config, hasState);
  yield hasState ? await inspectCopy(cli, config) : NO_COPY;
  if (hasState) yield* inspectClock(await configuredCopy(cli), config);
  const unheard: string[] = [];
  const lines = await meshLines(cli.workspace, access, '');
  for (const line of lines) {
    const reply = await line.ask({ method: 'GET', target: '/healthz', timeoutMs: TIMEOUT_MS });
    if (reply.kind === 'unreachable') {
      unheard.push(line.url);
      yield warning('mesh', `${line.url} cannot be reached: ${reply.reason}.`, 'aip help incident');
    } else if (reply.status !== 200) yield warning('mesh', `${line.url} answers ${reply.status}.`, 'aip mesh status');
    else yield ok('mesh', `${line.url} is up.`);
  }
  // One of them tells who listens; that none was heard is said.
  if (unheard.length < lines.length) yield* inspectRoster(cli, config, access, unheard);
}

/** Verifiers of an older version hear of no passport: what is narrowed elsewhere stays wide there. */
async function* inspectRoster(
  cli: Scene,
  config: Config,
  access: MeshAccess,
  unheard: readonly string[],
): AsyncGenerator<Finding> {
  const key = await openKey(cli, config);
  if (key === null) return;
  const [lines, check] = await Promise.all([meshLines(cli.workspace, access, key), meshCheck(access.publicKey)]);
  try {
    const { seen, endpoints } = await surveyMesh(lines, check);
    for (const { url, state, reason } of endpoints) {
      if (state === 'differs')
        yield warning(
          'mesh',
          `${url} tells another history under the key of this mesh: ${reason!}.`,
          'aip help incident',
        );
      else if (state !== 'agrees' && !unheard.includes(url)) yield warning('mesh', reason!, 'aip mesh status');
    }
    const { older, absent, absentTotal } = seen;
    if (older.length > 0)
      yield warning(
        'mesh',
        `Of an older version, and deaf to passports: ${older.join(', ')}. publish and update refuse meanwhile.`,
        'aip help upgrade',
      );
    if (absentTotal > 0) {
      const names = absent.slice(0, 5).map(({ label }) => label);
      const more = absentTotal > names.length ? ` and ${absentTotal - names.length} more` : '';
      yield warning('mesh', `On the roster, and not listening: ${names.join(', ')}${more}.`, 'aip mesh status');
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    yield warning('mesh', `Who listens is not known: ${error.message}`, error.hint ?? 'aip mesh status');
  }
}

/** The API key, where it is had without opening a key store. */
async function openKey(cli: Scene, config: Config): Promise<string | null> {
  const given = cli.io.env.AIP_MESH_KEY ?? '';
  const path = config.get('mesh.key_file');
  if (given === '' && path === null) return null;
  try {
    return await apiKey(cli, {});
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return null;
  }
}

function* inspectClock(copy: Pick<MeshCopy, 'note'>, config: Config): Generator<Finding> {
  const ahead = clockAhead(copy);
  if (ahead === null) return;
  const seconds = Math.round(Math.abs(ahead) / 1000);
  const way = ahead > 0 ? 'ahead of' : 'behind';
  if (Math.abs(ahead) <= config.get('verify.max_skew'))
    yield ok('mesh', "This machine's clock agreed with the mesh's when that was last heard.");
  else
    yield warning(
      'mesh',
      `clock_differs: this machine's clock is ${seconds} s ${way} the mesh's; suspensions end by the mesh's.`,
      'timedatectl status',
    );
}

const JOIN = 'aip mesh join <url> --mesh-key <key> --key-file <file>';
const NO_COPY = warning('mesh', 'This machine has no copy of the mesh yet.', 'aip mesh follow');

async function inspectKey(cli: Scene, config: Config, hasState: boolean): Promise<Finding> {
  const given = cli.io.env.AIP_MESH_KEY;
  if (given !== undefined && given !== '') return ok('mesh', 'The API key is in AIP_MESH_KEY.');
  const path = config.get('mesh.key_file');
  if (path !== null) {
    try {
      await secretFile(cli.workspace, path);
      return ok('mesh', `The API key is in ${path}, and private.`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return failedFinding('mesh', error.message, error.hint ?? JOIN, EXIT.keys);
    }
  }
  const name = config.get('mesh.key_id');
  if (name === null) return failedFinding('mesh', 'There is no API key for the mesh.', JOIN, EXIT.keys);
  const record = hasState ? (await localState(cli.workspace)).key(`mesh:${name}`) : null;
  if (record === null) return failedFinding('mesh', `This machine does not hold the API key ${name}.`, JOIN, EXIT.keys);
  return ok('mesh', `The API key ${name} is in the ${record.store} store (not opened).`);
}

async function inspectCopy(cli: Scene, config: Config): Promise<Finding> {
  const copy = await configuredCopy(cli);
  const [provenAt, now, maxAge] = [copy.provenAt(), cli.io.now(), config.get('revocation.max_age')];
  const policy = config.get('revocation.on_stale') === 'deny' ? 'refuses' : 'goes by it and says so';
  if (provenAt === null) return NO_COPY;
  if (provenAt > now)
    return warning('mesh', 'The copy was proven in the future: the clock was set back.', 'aip mesh follow');
  const age = provenText(now - provenAt);
  if (now - provenAt <= maxAge) return ok('mesh', `The copy of the mesh was ${age}.`);
  if (isKeyRefused(copy))
    return warning('mesh', `The mesh refuses the API key of this machine; its copy was ${age}.`, JOIN);
  const message = `The copy of the mesh was ${age}; a verification asks the mesh first, and ${policy} when that fails.`;
  return warning('mesh', message, 'aip mesh follow');
}
