import { signal } from '@preact/signals';
import { keep, recall } from './kept.ts';

export type Theme = 'light' | 'dark';

const dark = matchMedia('(prefers-color-scheme: dark)');
const chosen = recall('theme');

export const theme = signal<Theme>(
  chosen === 'light' || chosen === 'dark' ? chosen : dark.matches ? 'dark' : 'light',
);

if (chosen === theme.value) document.documentElement.dataset.theme = chosen;
else
  dark.addEventListener('change', ({ matches }) => {
    if (document.documentElement.dataset.theme === undefined) theme.value = matches ? 'dark' : 'light';
  });

/** Light becomes dark, and dark light; remembered. */
export function turnTheme(): void {
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset.theme = theme.value;
  keep('theme', theme.value);
}
