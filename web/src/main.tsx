import './api/no-eval.ts'
import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createServices } from './create-services.ts'
import { ServicesContext } from './state/services.ts'
import { createTheme } from './state/theme.ts'
import { Shell } from './views/shell/shell.tsx'
import './styles/tokens.css'
import './styles/base.css'

const services = createServices()
const theme = createTheme(localStorage, document.documentElement)
const root = document.getElementById('root')
if (root === null) throw new Error('The page has no element "root"')
createRoot(root).render(
  <StrictMode>
    <ServicesContext value={services}>
      <QueryClientProvider client={services.queries}>
        <Shell theme={theme} />
      </QueryClientProvider>
    </ServicesContext>
  </StrictMode>,
)
