/** `npm run test:fuzz`: the fuzz tests with as many frames and requests as `FUZZ_FRAMES` says, 100,000 where it says nothing. */
process.env['FUZZ_FRAMES'] ??= '100000'
process.argv.push('--project', 'fuzz')
await import('./test.ts')
