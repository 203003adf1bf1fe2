import type { ViewProps } from '../../routes.tsx'
import { FileQuality } from './file-quality.tsx'
import { RepositoryQuality } from './repository-quality.tsx'
import './quality.css'

/** `#/quality` is the whole repository, `#/quality/file/PATH` one file of it. */
export default function QualityView({ rest: [what, ...path] }: ViewProps) {
  return what === 'file' && path.length > 0 ? <FileQuality path={path.join('/')} /> : <RepositoryQuality />
}
