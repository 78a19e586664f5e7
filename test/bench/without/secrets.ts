/** Takes the place of what masks secrets in log entries. */
import type { JsonObject } from '../../../src/protocol/json/values.js';

export * from '../../../src/protocol/log/secrets.js';

export const maskParams = (params: JsonObject): JsonObject => params;
export const maskDetails = (details: JsonObject | null): JsonObject | null => details;
