import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** Makes the page that the host serves at `/ui`: `npm run build`, into `dist/` beside this file. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/ui/',
  publicDir: 'public',
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The page's policy lets in its own files alone: nothing is written into it, neither picture nor script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
