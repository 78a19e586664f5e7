import { violation } from '../decision.js';
import { HOLDS, said, shown, type ConstraintCheck } from './judged.js';

/** The request comes from a listed country; not knowing where it comes from is not a yes. */
export const geoRestriction: ConstraintCheck<'geo_restriction'> = ({ countries, written }, { agentId, geo }) => {
  if (geo !== null && countries.has(geo.toUpperCase())) return HOLDS;
  const message =
    geo === null
      ? 'The passport restricts the country, and none was given.'
      : `Requests from ${said(geo)} are not allowed.`;
  return [
    violation('GEO_RESTRICTION_VIOLATED', message, {
      requested: geo === null ? null : shown(geo),
      allowed: written,
      agent_id: agentId,
    }),
  ];
};
