import type { BuildPolicy } from './build-policy/build-policy.ts';
import { registryName } from './build-policy/registry-of.ts';
import { type Given, type Option, refuse } from './option.ts';
import { oneOf } from './setting-values.ts';

export const BUILD_OPTIONS = {
  'build-allow-add': {
    env: 'HERSH_BUILD_ALLOW_ADD',
    value: 'on|off',
    fallback: 'off',
    help: "ADD may fetch URLs and git addresses, in this machine's own network",
  },
  'build-registries': {
    env: 'HERSH_BUILD_REGISTRIES',
    value: 'A,B',
    fallback: '',
    help: 'the only registries that images come from, docker.io for one; by default all but those of its own networks',
  },
} as const satisfies Record<string, Option>;

/** @throws AppError `BadRequest` that names the option and what it takes */
export function readBuildSettings(read: (name: keyof typeof BUILD_OPTIONS) => Given): {
  readonly buildPolicy: BuildPolicy;
} {
  const allowAdd = oneOf(read('build-allow-add'), ['on', 'off']) === 'on';
  const listed = read('build-registries');
  const registries = listed.text
    .split(',')
    .filter((one) => one !== '')
    .map((one) => {
      const name = registryName(one);
      if (name === undefined)
        throw refuse(listed, 'registries with "," between, such as docker.io or registry.example:5000');
      return name;
    });
  return { buildPolicy: { allowAdd, registries: registries.length > 0 ? registries : undefined } };
}
