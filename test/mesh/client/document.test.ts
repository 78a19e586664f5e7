import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import '../../property-seed.js';
import { documentOf, partOf } from '../../../src/mesh/document.js';
import { SCHEMAS, type DocumentName } from '../../../src/mesh/schemas.js';
import type { Json, JsonObject } from '../../../src/protocol/json/values.js';
import { ShapeError } from '../../../src/protocol/json/shape.js';

interface Schema {
  readonly anyOf?: readonly [Schema, unknown];
  readonly enum?: readonly Json[];
  readonly const?: Json;
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maxLength?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

const NAMES = Object.entries(SCHEMAS)
  .filter(([, schema]) => 'additionalProperties' in schema)
  .map(([name]) => name as DocumentName);

/** Values that hold to a schema. */
function valid(schema: Schema): fc.Arbitrary<Json> {
  if (schema.anyOf !== undefined) return fc.oneof(fc.constant(null), valid(schema.anyOf[0]));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.type === 'array') return fc.array(valid(schema.items!), { maxLength: 3 }) as fc.Arbitrary<Json>;
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'integer') return fc.nat(2 ** 31 - 1).map((n) => n + (schema.minimum ?? 0));
  if (schema.type === 'number') return fc.double({ min: 0, max: 1e9, noNaN: true });
  if (schema.type === 'string') {
    if (schema.format !== undefined) return fc.constant('2026-01-05T09:00:00.000Z');
    if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern));
    return fc.string({ maxLength: Math.min(8, schema.maxLength ?? 8) });
  }
  const members = Object.entries(schema.properties ?? {}).map(([name, member]) => [name, valid(member)] as const);
  return fc.record(Object.fromEntries(members), {
    requiredKeys: [...(schema.required ?? [])],
    noNullPrototype: true,
  }) as fc.Arbitrary<Json>;
}

/** The same document with one place in it taken out, or made something else. */
function damaged(document: Json, pick: number, other: Json | undefined): Json {
  const copy = structuredClone(document);
  const places: [Record<string, Json>, string][] = [];
  const walk = (value: Json): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const name of Object.keys(value)) {
      places.push([value as unknown as Record<string, Json>, name]);
      walk((value as JsonObject)[name]!);
    }
  };
  walk(copy);
  const [owner, name] = places[pick % places.length]!;
  if (other === undefined && !Array.isArray(owner)) delete owner[name];
  else owner[name] = other ?? null;
  return copy;
}

/** What JSON Schema says of it, where members of later versions are left alone. */
const ajv = new Ajv2020({ strict: false });
ajv.addFormat('date-time', (text) => !Number.isNaN(Date.parse(text)) && text.endsWith('Z'));
function judge(name: DocumentName): (value: Json) => boolean {
  const open = JSON.stringify(SCHEMAS[name])
    .replaceAll(',"additionalProperties":false', '')
    .replaceAll(/"\$ref":"[^"]*"/g, '"type":"object"');
  return ajv.compile(JSON.parse(open) as object) as (value: Json) => boolean;
}

function isTaken(name: DocumentName, value: Json): boolean {
  try {
    documentOf(name, value);
    return true;
  } catch (error) {
    if (error instanceof ShapeError) return false;
    throw error;
  }
}

describe('a document of the mesh', () => {
  test.each(NAMES)('%s is read as its schema says, whole and damaged', (name) => {
    const says = judge(name);
    const other = fc.constantFrom<Json | undefined>(undefined, null, 7, -1, 0.5, 'x', '', true, [], {});
    let refused = 0;
    fc.assert(
      fc.property(valid(SCHEMAS[name] as Schema), fc.nat(), other, (document, pick, value) => {
        expect(isTaken(name, document)).toBe(true);
        const broken = damaged(document, pick, value);
        const taken = isTaken(name, broken);
        if (!taken) refused++;
        expect(taken).toBe(says(broken));
      }),
      { numRuns: 60 },
    );
    expect(refused).toBeGreaterThan(0);
  });

  test('may hold members that a later version adds', () => {
    expect(documentOf('RegionProof', { checkpoint: null, later: [1] })).toMatchObject({ checkpoint: null });
  });

  test('is refused with the member that is wrong, however deep', () => {
    const home = { region: null, head: 1, term: 1, time: '2026-01-05T09:00:00.000Z', sealed_by_term: '2' };
    const rest = { replication_mode: 'async', max_propagation_time_ms: 1, regions: [] };
    expect(() => documentOf('Regions', { home, ...rest })).toThrow('"home.sealed_by_term" is not what it must be');
    expect(() => documentOf('RegionReported', { refused: [{ verifier: 'v' }], unknown: [] })).toThrow(
      '"refused[0].code"',
    );
    expect(() => documentOf('RegionReported', [])).toThrow('it is no object');
  });
});

describe('a part of a document', () => {
  const absent = {
    ...{ verifier: 'v', label: 'l', key_id: 'k', last_seen: '2026-01-05T09:00:00.000Z' },
    ...{ on_stale: null, refuses_since: null },
  };
  const members = ['label', 'refuses_since'] as const;

  test('holds the members that are asked for and no others, whatever else is there or missing', () => {
    expect(partOf('AbsentVerifier', { ...absent, later: [1], seq: 'x' }, members)).toEqual({
      label: 'l',
      refuses_since: null,
    });
  });

  test('is refused where a member is missing or of another kind', () => {
    const { label: _, ...unnamed } = absent;
    for (const value of [unnamed, { ...absent, label: 7 }, { ...absent, label: null }])
      expect(() => partOf('AbsentVerifier', value, members)).toThrow('"label" is not what it must be');
    expect(() => partOf('AbsentVerifier', [absent], members)).toThrow('it is no object');
    expect(() => partOf('Keys', { keys: [null], next: null }, ['keys'])).toThrow('"keys[0]"');
  });

  test('may lack what earlier servers do not send, which is held to its kind where it is there', () => {
    const order = { late: [{ verifier: 'v', label: 'l' }] };
    expect(partOf('CommandAnswer', {}, [], ['late'])).toEqual({});
    expect(partOf('CommandAnswer', order, [], ['late', 'key_id'])).toEqual(order);
    for (const late of [null, [{ verifier: 'v' }], {}])
      expect(() => partOf('CommandAnswer', { late }, [], ['late'])).toThrow('"late');
  });
});
