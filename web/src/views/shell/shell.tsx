import { Suspense, useEffect, useRef } from 'react'
import { LoadingState } from '../../components/states.tsx'
import { ToastList } from '../../components/toast-list.tsx'
import { views } from '../../routes.tsx'
import { parseHash, toHash, useHash } from '../../state/route.ts'
import type { ThemeChoice } from '../../state/theme.ts'
import { useSignedIn } from '../../state/use-tool.ts'
import { SignInPanel } from '../sign-in/sign-in-panel.tsx'
import { ConnectionNotice } from './connection-notice.tsx'
import { SessionStatus } from './session-status.tsx'
import { ThemeSwitch } from './theme-switch.tsx'
import { ViewBoundary } from './view-boundary.tsx'
import './shell.css'

/** What surrounds every view: who is signed in, how the connection is, and where one can go. */
export function Shell({ theme }: { readonly theme: ThemeChoice }) {
  const hash = useHash()
  const { view, rest } = parseHash(hash)
  const { name, title, View, keepsState } = views.find((entry) => entry.name === view) ?? views[0]
  const isSignedIn = useSignedIn()
  const main = useRef<HTMLElement>(null)
  useEffect(() => {
    document.title = `${title} · Millwright`
  }, [title])
  return (
    <>
      <a
        className="skip-link"
        href={hash === '' ? '#/' : hash}
        onClick={(event) => {
          event.preventDefault()
          main.current?.focus()
        }}
      >
        Skip to the content
      </a>
      <header className="top">
        <p className="top-name">Millwright</p>
        <SessionStatus />
        <ThemeSwitch theme={theme} />
        <nav aria-label="Views">
          {views.map((entry) => (
            <a key={entry.name} href={toHash(entry.name)} aria-current={entry.name === name ? 'page' : undefined}>
              {entry.title}
            </a>
          ))}
        </nav>
      </header>
      <main ref={main} tabIndex={-1}>
        <h1 className="visually-hidden">{title}</h1>
        <ConnectionNotice />
        {!isSignedIn && <SignInPanel />}
        <div className="view" inert={!isSignedIn} aria-disabled={!isSignedIn} data-protected="">
          <ViewBoundary key={keepsState ? name : hash}>
            <Suspense fallback={<LoadingState>Loading…</LoadingState>}>
              <View rest={rest} />
            </Suspense>
          </ViewBoundary>
        </div>
      </main>
      <ToastList />
    </>
  )
}
