import { Button } from 'antd'
import { Component } from 'react'
import type { ReactNode } from 'react'

interface Props {
  readonly text: { readonly crashed: string; readonly reload: string }
  readonly children: ReactNode
}

/** A page that throws (a bug, or a chunk of an older release that is gone) must not take the navigation with it. */
export class CrashGuard extends Component<Props, { readonly error: Error | null }> {
  override state: { readonly error: Error | null } = { error: null }

  static getDerivedStateFromError(error: Error) {
    return { error }
  }

  override render(): ReactNode {
    const { error } = this.state
    if (!error) return this.props.children
    return (
      <div className="notice notice-bad" role="alert">
        <div>
          <strong>{this.props.text.crashed}</strong>
          <div className="notice-detail">{error.message}</div>
        </div>
        <Button size="small" onClick={() => window.location.reload()}>
          {this.props.text.reload}
        </Button>
      </div>
    )
  }
}
