/** `npm run screens:page`: every screen in both themes and at more widths; minutes, where `npm test` takes one. */
process.env.SCREENS = 'whole';
await import('./screens.test.ts');
