import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The control plane serves `web/dist` as it is: assets carry a content hash, only `index.html` must be revalidated. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // ECharts' core is one lazy chunk of this order; anything larger than this is a dependency that crept in.
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'charts', test: /node_modules[\\/](?:echarts|zrender)[\\/]/ },
            { name: 'react', test: /node_modules[\\/](?:react|react-dom|scheduler)[\\/]/ },
            { name: 'antd', test: /node_modules[\\/](?:antd|@ant-design|@rc-component|@emotion|dayjs)[\\/]/ },
          ],
        },
      },
    },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8081' } },
})
