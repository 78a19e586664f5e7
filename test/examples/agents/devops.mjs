/** The guide's DevOps agent: node devops.mjs "deploy api 1.4.2 to staging" */
import { ensurePassport, shield } from 'aip-cli';
import { main } from './planner.mjs';

const passport = await ensurePassport({
  domain: 'acme.com',
  agentName: 'devops-agent',
  actions: ['deploy_service', 'scale_service', 'rollback'],
  constraints: {
    allowed_environments: ['staging', 'production'],
    allowed_services: ['api', 'worker', 'frontend'],
    max_instances: 10,
    require_approval: { environments: ['production'] },
  },
  keyStore: 'file',
  passphrase: process.env.AIP_KEY_PASSPHRASE,
});
const tool = (action, params, run) =>
  shield({ passport, actions: [action], params, passphrase: process.env.AIP_KEY_PASSPHRASE }, run);

const tools = {
  deploy: tool('deploy_service', ['service', 'environment', 'version'], (s, e, v) => `deployed ${s} ${v} to ${e}`),
  scale: tool('scale_service', ['service', 'environment', 'desired_count'], (s, e, n) => `${s} in ${e}: ${n}`),
  rollback: tool('rollback', ['service', 'environment'], (s, e) => `rolled back ${s} in ${e}`),
  drop: tool('delete_service', ['service', 'environment'], (s, e) => `deleted ${s} in ${e}`),
};

await main(
  [
    [/deploy (\S+) (\S+) to (\w+)/gi, (service, version, environment) => ['deploy', service, environment, version]],
    [/scale (\S+) in (\w+) to (\d+)/gi, (service, environment, n) => ['scale', service, environment, Number(n)]],
    [/roll back (\S+) in (\w+)/gi, (service, environment) => ['rollback', service, environment]],
    [/delete (\S+) in (\w+)/gi, (service, environment) => ['drop', service, environment]],
  ],
  tools,
);
