import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { type Config, helpText, readConfig } from '../../controller/config.ts';
import { AppError } from '../../schemas/errors.ts';

function read(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Config {
  const config = readConfig(argv, env);
  assert.notEqual(config, 'help');
  return config as Config;
}

/** Flag, variable, a value, and what it comes to. */
const SETTINGS: [flag: string, env: string, text: string, key: keyof Config, value: unknown][] = [
  ['--registry', 'HERSH_REGISTRY', '/srv/registry', 'registry', '/srv/registry'],
  ['--registry', 'HERSH_REGISTRY', 'here', 'registry', resolve('here')],
  ['--registry', 'HERSH_REGISTRY', '~/registry', 'registry', join(homedir(), 'registry')],
  ['--port', 'HERSH_PORT', '0', 'port', 0],
  ['--port', 'HERSH_PORT', '65535', 'port', 65_535],
  ['--host', 'HERSH_HOST', '::1', 'host', '::1'],
  ['--port-range', 'HERSH_PORT_RANGE', '19500-19510', 'portRange', { min: 19_500, max: 19_510 }],
  ['--port-range', 'HERSH_PORT_RANGE', '29999-29999', 'portRange', { min: 29_999, max: 29_999 }],
  ['--instance', 'HERSH_INSTANCE', 'desk-3', 'instance', 'desk-3'],
  ['--runtime', 'HERSH_RUNTIME', 'runsc', 'runtime', 'runsc'],
  ['--log-level', 'HERSH_LOG_LEVEL', 'debug', 'logLevel', 'debug'],
  ['--allowed-hosts', 'HERSH_ALLOWED_HOSTS', 'a.example,b', 'allowedHosts', ['a.example', 'b']],
  ['--disk-limit', 'HERSH_DISK_LIMIT', '20Gi', 'diskBytes', 20 * 2 ** 30],
  ['--disk-limit', 'HERSH_DISK_LIMIT', '1.5G', 'diskBytes', 1_500_000_000],
];

const REFUSED: [flag: string, env: string, text: string][] = [
  ...['', 'x', '-1', '65536', '9000.5', '1e3', ' 80'].map((text): [string, string, string] => [
    '--port',
    'HERSH_PORT',
    text,
  ]),
  ...['19001', '19002-19001', '19000-19005', '29999-30000', 'a-b', '19001-19002-19003'].map(
    (text): [string, string, string] => ['--port-range', 'HERSH_PORT_RANGE', text],
  ),
  ...['Default', 'a_b', '-a', 'a'.repeat(33)].map((text): [string, string, string] => [
    '--instance',
    'HERSH_INSTANCE',
    text,
  ]),
  ['--runtime', 'HERSH_RUNTIME', 'kata'],
  ['--log-level', 'HERSH_LOG_LEVEL', 'loud'],
  ['--allowed-hosts', 'HERSH_ALLOWED_HOSTS', 'good,bad host'],
  ...['20 Gi', '-1', 'much', '1000', '0', '20GiB'].map((text): [string, string, string] => [
    '--disk-limit',
    'HERSH_DISK_LIMIT',
    text,
  ]),
];

describe('the configuration', () => {
  it('has the defaults of the contract', () => {
    const { registry, ...rest } = read([]);
    assert.equal(registry, resolve('registry'));
    assert.deepEqual(rest, {
      port: 9000,
      host: '127.0.0.1',
      portRange: { min: 19_001, max: 29_999 },
      instance: 'default',
      runtime: 'runc',
      logLevel: 'info',
      allowedHosts: [],
      diskBytes: undefined,
      remote: undefined,
    });
  });

  for (const [flag, env, text, key, value] of SETTINGS) {
    it(`takes ${flag} ${text}, and ${env}`, () => {
      assert.deepEqual(read([flag, text])[key], value);
      assert.deepEqual(read([`${flag}=${text}`])[key], value);
      assert.deepEqual(read([], { [env]: text })[key], value);
    });
  }

  it('prefers the flag to the variable, and takes an empty variable for none', () => {
    assert.equal(read(['--port', '1'], { HERSH_PORT: '2' }).port, 1);
    assert.equal(read([], { HERSH_PORT: '' }).port, 9000);
  });

  for (const [flag, env, text] of REFUSED) {
    it(`refuses ${flag} ${JSON.stringify(text)} by name, with what it takes`, () => {
      const refusal = (name: string) => (error: unknown) => {
        assert.ok(error instanceof AppError);
        assert.equal(
          error.message.startsWith(`${name}: ${JSON.stringify(text)} is not valid; it takes `),
          true,
        );
        return true;
      };
      assert.throws(() => readConfig([`${flag}=${text}`], {}), refusal(flag));
      if (text !== '') assert.throws(() => readConfig([], { [env]: text }), refusal(env));
    });
  }

  for (const argv of [['--colour'], ['--port'], ['extra'], ['--no-port']]) {
    it(`refuses ${argv[0]} by name, and points to the help`, () => {
      assert.throws(
        () => readConfig(argv, {}),
        (error) => {
          assert.ok(error instanceof AppError);
          assert.equal(error.message.includes(argv[0] ?? ''), true, error.message);
          assert.match(error.hint ?? '', /--help/);
          return true;
        },
      );
    });
  }

  it('can not be changed, not even in its parts', () => {
    const config = read(['--allowed-hosts', 'a']);
    for (const part of [config, config.portRange, config.allowedHosts]) {
      assert.equal(Object.isFrozen(part), true);
    }
  });
});

describe('the help', () => {
  it('is given when asked for, whatever else is said', () => {
    assert.equal(readConfig(['--help'], {}), 'help');
    assert.equal(readConfig(['--port', 'x', '--help'], {}), 'help');
  });

  it('names every option with its variable and its default', () => {
    const lines = helpText().split('\n');
    for (const [flag, env] of SETTINGS) {
      const line = lines.find((one) => one.includes(`${flag} `));
      assert.equal(line?.includes(env), true, flag);
    }
    for (const fallback of ['(9000)', '(127.0.0.1)', '(19001-29999)', '(default)', '(runc)', '(info)']) {
      assert.equal(helpText().includes(fallback), true, fallback);
    }
    assert.match(helpText(), /DOCKER_HOST/);
  });
});
