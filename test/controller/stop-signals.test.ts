import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onStopSignals } from '../../controller/stop-signals.ts';
import { ROOT } from '../setup/host-settings.ts';

test('one Ctrl-C that comes twice, by the terminal and by npm, is one wish; a later signal is another', () => {
  const source = new EventEmitter();
  const done: string[] = [];
  let ms = 1_000;
  onStopSignals(
    source,
    { monotonic: () => ms },
    (signal) => done.push(signal),
    () => done.push('again'),
  );
  source.emit('SIGINT', 'SIGINT');
  ms += 499;
  source.emit('SIGINT', 'SIGINT');
  assert.deepEqual(done, ['SIGINT']);
  ms += 1;
  source.emit('SIGTERM', 'SIGTERM');
  assert.deepEqual(done, ['SIGINT', 'again']);
});

test('no script leaves a shell between npm and what runs: that one dies of SIGTERM and passes nothing on', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const commands = Object.entries<string>(scripts).filter(([, command]) => command.includes('node '));
  assert.ok(commands.some(([name]) => name === 'start'));
  for (const [name, command] of commands) {
    // `check` is several, each of them short.
    if (name !== 'check') assert.match(command, /^exec node [^&|;]*$/, name);
  }
});
