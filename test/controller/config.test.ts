import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Config, readConfig } from '../../controller/config.ts';
import type { AppError } from '../../schemas/errors.ts';

function read(args: string[], env: Record<string, string> = {}): Config {
  const config = readConfig(args, env);
  assert.ok(config !== 'help');
  return config;
}

describe('configuration: the remote to follow', () => {
  it('is none by default', () => {
    assert.equal(read([]).remote, undefined);
    assert.equal(read(['--git-branch', 'live', '--git-interval', '5m']).remote, undefined);
  });

  it('comes from flags or the environment, with main every 30 s', () => {
    const url = 'https://git.example/fleet.git';
    const silenceMs = 120_000;
    assert.deepEqual(read(['--git-remote', url]).remote, {
      ...{ url, branch: 'main', intervalMs: 30_000, silenceMs },
    });
    const env = { HERSH_GIT_REMOTE: url, HERSH_GIT_BRANCH: 'live/eu-1', HERSH_GIT_INTERVAL: '5m' };
    assert.deepEqual(read([], env).remote, { url, branch: 'live/eu-1', intervalMs: 300_000, silenceMs });
    assert.equal(read(['--git-silence', '10m'], env).remote?.silenceMs, 600_000);
    assert.throws(() => read(['--git-silence', '0s']), /--git-silence: .* such as 30s/);
    assert.equal(read(['--git-interval', '1h'], env).remote?.intervalMs, 3_600_000);
  });

  it('refuses what is no branch and no time, and names what it takes', () => {
    for (const branch of ['', 'a..b', 'a//b', 'a/', 'a.lock', 'a b', 'a~1', '@{-1}', 'a.lock/b']) {
      assert.throws(
        () => read(['--git-branch', branch, '--git-remote', 'x'], {}),
        /git-branch.*branch/i,
        branch,
      );
    }
    for (const time of ['30', '0s', '999ms', 's', '25h', '1.5m', '-1s']) {
      assert.throws(() => read([`--git-interval=${time}`]), /--git-interval: .* such as 30s/, time);
    }
  });

  it('never tells a wrong address, which may hold a password', () => {
    assert.throws(
      () => read(['--git-remote', 'https://u:s3cret@git example/x']),
      (error: AppError) => /--git-remote/.test(error.message) && !/s3cret/.test(error.message),
    );
  });
});

describe('configuration: the origins of pages that may use the API', () => {
  it('are none by default, and are kept as browsers say them', () => {
    assert.deepEqual(read([]).allowedOrigins, []);
    const given = 'http://LOCALHOST:5173,https://desk.example:443,tauri://localhost';
    const kept = ['http://localhost:5173', 'https://desk.example', 'tauri://localhost'];
    assert.deepEqual(read(['--allowed-origins', given]).allowedOrigins, kept);
    assert.deepEqual(read([], { HERSH_ALLOWED_ORIGINS: given }).allowedOrigins, kept);
  });

  it('are no patterns, no hosts, and have no path', () => {
    for (const wrong of [
      '*',
      'null',
      'localhost:5173',
      'https://*.example',
      'http://a/',
      'http://a/b',
      'http://u@a',
    ]) {
      assert.throws(() => read(['--allowed-origins', wrong]), /--allowed-origins: .* such as https/, wrong);
    }
  });
});

describe('configuration: how long a proxied request waits', () => {
  it('is 10 s, a time up to 5 min, or not at all', () => {
    assert.equal(read([]).proxyWaitMs, 10_000);
    assert.equal(read(['--proxy-wait', '500ms']).proxyWaitMs, 500);
    assert.equal(read(['--proxy-wait=0']).proxyWaitMs, 0);
    assert.equal(read([], { HERSH_PROXY_WAIT: '5m' }).proxyWaitMs, 300_000);
    for (const time of ['0s', '10', '6m', 'x', '-1s']) {
      assert.throws(() => read([`--proxy-wait=${time}`]), /--proxy-wait: .* or 0/, time);
    }
  });
});

describe('configuration: network sandboxes', () => {
  it('are off by default, and on or off', () => {
    assert.equal(read([]).sandboxed, false);
    assert.equal(read(['--sandbox', 'on']).sandboxed, true);
    assert.equal(read([], { HERSH_SANDBOX: 'on' }).sandboxed, true);
    assert.equal(read(['--sandbox=off'], { HERSH_SANDBOX: 'on' }).sandboxed, false);
    assert.throws(() => read(['--sandbox', 'yes']), /--sandbox: "yes" .* on, off/);
  });

  it('stand ready in small numbers, where programs have any', () => {
    assert.equal(read([]).spares, 0);
    assert.equal(read(['--sandbox', 'on']).spares, 2);
    assert.equal(read(['--sandbox', 'on', '--spares', '0']).spares, 0);
    assert.equal(read(['--sandbox', 'on'], { HERSH_SPARES: '5' }).spares, 5);
    assert.equal(read(['--spares', '5']).spares, 0);
    assert.equal(read(['--sandbox', 'on', '--runtime', 'runsc', '--spares', '5']).spares, 0);
    assert.throws(() => read(['--spares', '-1']), /--spares/);
    assert.throws(() => read(['--spares', '101']), /--spares: "101" .* 0 to 100/);
  });
});

describe('configuration: who is told, and by whom', () => {
  const secret = '0123456789abcdef';

  it('is nobody by default, and no secret', () => {
    const { receivers, notifySecret, gitHookSecret } = read([]);
    assert.deepEqual([receivers, notifySecret, gitHookSecret], [[], undefined, undefined]);
  });

  it('several addresses, with one form for all or one for each, by flags or the environment', () => {
    const told = (args: string[], env = {}) =>
      read(args, env).receivers.map(({ url, form }) => [url.href, form]);
    const two = ['--notify', 'https://a.example/x?y=z', '--notify=http://u:p@b.example:8080/t'];
    const urls = ['https://a.example/x?y=z', 'http://u:p@b.example:8080/t'] as const;
    assert.deepEqual(told(two), [
      [urls[0], 'json'],
      [urls[1], 'json'],
    ]);
    const both = [
      [urls[0], 'slack'],
      [urls[1], 'ntfy'],
    ];
    assert.deepEqual(told([...two, '--notify-format', 'slack', '--notify-format', 'ntfy']), both);
    assert.deepEqual(told([], { HERSH_NOTIFY: urls.join(' '), HERSH_NOTIFY_FORMAT: 'slack ntfy' }), both);
    assert.throws(
      () => read([...two, '--notify', 'http://c', '--notify-format=slack', '--notify-format=ntfy']),
      {
        message: /--notify-format: .*one for each of the 3 addresses/,
      },
    );
    assert.throws(() => read(['--notify-format', 'xml']), /--notify-format: "xml" .* json, slack, ntfy/);
  });

  it('an address is http or https, and a wrong one is not told: it may be a secret', () => {
    for (const wrong of [
      'hooks.example/s3cret',
      'ftp://h/s3cret',
      'https:s3cret',
      'https://',
      'file:///s3cret',
    ]) {
      assert.throws(
        () => read(['--notify', wrong]),
        ({ message }: AppError) =>
          /--notify is not valid.*https:\/\//.test(message) && !/s3cret/.test(message),
        wrong,
      );
    }
  });

  it('secrets come from a file or the environment, never as arguments, and are not told', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'hersh-secret-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'secret');
    writeFileSync(file, `${secret}\r\n`);
    for (const [flag, variable, field] of [
      ['notify-secret', 'HERSH_NOTIFY_SECRET', 'notifySecret'],
      ['git-hook-secret', 'HERSH_GIT_HOOK_SECRET', 'gitHookSecret'],
    ] as const) {
      assert.equal(read([`--${flag}-file`, file])[field], secret);
      assert.equal(read([], { [`${variable}_FILE`]: file })[field], secret);
      assert.equal(read([], { [variable]: `${secret}!` })[field], `${secret}!`);
      assert.equal(read([`--${flag}-file`, file], { [variable]: `${secret}!` })[field], secret);
      assert.throws(() => read([`--${flag}`, secret]), /Unknown option/);
      assert.throws(() => read([`--${flag}-file`, join(folder, 'none')]), /can not be read \(ENOENT\)/);
      for (const wrong of ['short', `${secret}\n${secret}`]) {
        assert.throws(
          () => read([], { [variable]: wrong }),
          ({ message }: AppError) => message.startsWith(variable) && !message.includes(wrong),
        );
      }
    }
    writeFileSync(file, '\n');
    assert.throws(() => read(['--notify-secret-file', file]), /what is in it is not valid.*16 to/);
  });
});

describe('configuration: docker config files', () => {
  it('are none by default; one of all, and one a user, which may be given more than once', () => {
    assert.deepEqual(read([]).credentials, { all: undefined, byUser: new Map() });
    const flags = ['--docker-config', '/etc/all.json', '--docker-config-for', 'me=/a=b.json'];
    const byUser = new Map([
      ['me', '/a=b.json'],
      ['you', '/y.json'],
    ]);
    const given = { all: '/etc/all.json', byUser };
    assert.deepEqual(read([...flags, '--docker-config-for=you=/y.json']).credentials, given);
    const env = { HERSH_DOCKER_CONFIG: '/etc/all.json', HERSH_DOCKER_CONFIG_FOR: 'me=/a=b.json,you=/y.json' };
    assert.deepEqual(read([], env).credentials, given);
  });

  it('are refused where they really lie in the registry, whatever they are called', () => {
    const root = mkdtempSync(join(tmpdir(), 'hersh-config-'));
    try {
      for (const folder of ['real/secrets', 'disk', 'etc'])
        mkdirSync(join(root, folder), { recursive: true });
      for (const file of ['real/secrets/c.json', 'disk/c.json', 'etc/c.json'])
        writeFileSync(join(root, file), '');
      symlinkSync(join(root, 'real'), join(root, 'named'));
      symlinkSync(join(root, 'disk'), join(root, 'real', 'sources'));
      symlinkSync(join(root, 'real/secrets/c.json'), join(root, 'etc/link.json'));
      const given = (registry: string, file: string) =>
        read(['--registry', join(root, registry), '--docker-config', join(root, file)]).credentials.all;
      for (const registry of ['real', 'named']) {
        for (const file of [
          'real/secrets/c.json',
          'named/none.json',
          'disk/c.json',
          'disk/none.json',
          'etc/link.json',
        ])
          assert.throws(() => given(registry, file), /outside the registry/, `${registry} ${file}`);
        assert.equal(given(registry, 'etc/c.json'), join(root, 'etc/c.json'), 'as it was given');
      }
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });

  it('are refused where a build or a commit would take them in, and where nobody can tell whose they are', () => {
    const inside = ['--registry', '/srv/r', '--docker-config', '/srv/r/secrets/config.json'];
    assert.throws(() => read(inside), /--docker-config: .* outside the registry/);
    assert.ok(read(['--registry', '/srv/r', '--docker-config', '/srv/r.json']).credentials.all);
    for (const text of ['/x.json', '=/x.json', 'me=', 'a b=/x.json'])
      assert.throws(() => read(['--docker-config-for', text]), /--docker-config-for: .* USER=FILE/, text);
    const twice = ['--docker-config-for', 'me=/a', '--docker-config-for', 'me=/b'];
    assert.throws(() => read(twice), /each user once/);
  });
});

describe('configuration: what builds may fetch', () => {
  it('is no address by ADD, and any public registry, by default', () => {
    assert.deepEqual(read([]).buildPolicy, { allowAdd: false, registries: undefined });
  });

  it('comes from flags or the environment, with registries as references name them', () => {
    const env = {
      HERSH_BUILD_ALLOW_ADD: 'on',
      HERSH_BUILD_REGISTRIES: 'index.docker.io,Registry.Example:5000',
    };
    const registries = ['docker.io', 'registry.example:5000'];
    assert.deepEqual(read([], env).buildPolicy, { allowAdd: true, registries });
    assert.deepEqual(
      read(['--build-allow-add', 'off', '--build-registries', '10.0.0.1:5000'], env).buildPolicy,
      {
        ...{ allowAdd: false, registries: ['10.0.0.1:5000'] },
      },
    );
  });

  it('refuses what is no registry', () => {
    for (const text of ['https://images.example', 'a/b', 'a b'])
      assert.throws(
        () => read(['--build-registries', text]),
        /--build-registries: .* such as docker\.io/,
        text,
      );
    assert.throws(() => read(['--build-allow-add', 'yes']), /--build-allow-add: .*on, off/);
  });
});
