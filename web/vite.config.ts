import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The page as static files: `web/dist/index.html`, `authorize.html` and what they load, by names that hold a hash. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/web/',
  plugins: [react()],
  // Of the MCP client the build without `eval`, and not the one of Node.
  resolve: { conditions: ['browser', 'module', 'import', 'default'] },
  build: {
    target: 'es2023',
    outDir: process.env.MILLWRIGHT_PAGE_FOLDER ?? 'dist',
    emptyOutDir: true,
    // A policy that loads nothing but our own files refuses data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        index: `${import.meta.dirname}/index.html`,
        authorize: `${import.meta.dirname}/authorize.html`,
      },
    },
  },
})
