import './kit/zod-setup.ts'
import { createRoot } from 'react-dom/client'
import { App } from './console/shell/app.tsx'
import './kit/styles.css'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
createRoot(root).render(<App />)
