import { expect, test } from 'vitest';
import { Failure } from '../../../src/app/failure.js';
import { GatheredOutcomes } from '../../../src/app/outcomes/gathered.js';
import type { OutcomeReport } from '../../../src/app/outcomes/report.js';

const report = (n: number): OutcomeReport => ({
  intentHash: `sha256:${n.toString(16).padStart(64, '0')}`,
  status: 'ok',
  token: null,
});

/** Timers and the end of the process as the test has them. */
function gathering(record: (reports: readonly OutcomeReport[]) => readonly string[] = () => []) {
  const due = new Set<() => void>();
  const atEnd = new Set<() => void>();
  const written: number[] = [];
  const missing: string[] = [];
  const kept = (works: Set<() => void>, work: () => void) => {
    works.add(work);
    return () => void works.delete(work);
  };
  const gathered = new GatheredOutcomes({
    after: (_, work) => kept(due, work),
    atExit: (work) => kept(atEnd, work),
    record(reports) {
      written.push(reports.length);
      return record(reports);
    },
    missing: (why) => void missing.push(why),
  });
  return { gathered, due, atEnd, written, missing };
}

test('what ends within the time is written once', () => {
  const { gathered, due, atEnd, written } = gathering();
  for (let n = 0; n < 3; n++) gathered.tell(report(n));
  expect({ written, due: due.size, atEnd: atEnd.size }).toEqual({ written: [], due: 1, atEnd: 1 });
  for (const work of due) work();
  gathered.write();
  expect({ written, due: due.size, atEnd: atEnd.size }).toEqual({ written: [3], due: 0, atEnd: 0 });
  gathered.tell(report(4));
  for (const work of atEnd) work();
  expect({ written, due: due.size }).toEqual({ written: [3, 1], due: 0 });
});

test('many are written in parts, between which calls are answered, and all at once before the process ends', () => {
  const { gathered, due, atEnd, written } = gathering();
  const next = (): void => [...due][0]?.();
  for (let n = 0; n < 20; n++) gathered.tell(report(n));
  for (let turn = 0; turn < 4; turn++) next();
  expect({ written, due: due.size, atEnd: atEnd.size }).toEqual({ written: [8, 8, 4], due: 0, atEnd: 0 });
  for (let n = 0; n < 100; n++) gathered.tell(report(n));
  next();
  for (const work of atEnd) work();
  expect({ written: written.slice(3), due: due.size }).toEqual({ written: [25, 75], due: 0 });
});

test('no more than 256 wait', () => {
  const { gathered, due, written } = gathering();
  for (let n = 0; n < 300; n++) gathered.tell(report(n));
  expect({ written, due: due.size }).toEqual({ written: [256], due: 1 });
});

test('what is not in the log is told, and a world that fails ends nothing', () => {
  const told = gathering(() => ['it is recorded already']);
  told.gathered.tell(report(1));
  told.gathered.write();
  expect(told.missing).toEqual(['it is recorded already']);
  const failing = gathering(() => {
    throw new Failure('STATE', 'the disk is full');
  });
  failing.gathered.tell(report(1));
  failing.gathered.write();
  expect(failing.missing).toEqual(['the disk is full']);
});
