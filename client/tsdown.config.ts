import { defineConfig } from 'tsdown'

/** One ESM file for browsers and Node, and its types; the protocol goes in, so that nothing else has to be installed. */
export default defineConfig({
  entry: 'src/index.ts',
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  // Not eager, the types of the protocol would be missing.
  dts: { eager: true },
  sourcemap: true,
})
