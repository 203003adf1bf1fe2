import { FileQuality } from './file-quality.tsx'
import { RepositoryQuality } from './repository-quality.tsx'
import './quality.css'

/** `#/quality` is the whole repository, `#/quality/file/PATH` one file of it. */
export default function QualityView({ rest: [what, ...path] }: { readonly rest: readonly string[] }) {
  return what === 'file' && path.length > 0 ? <FileQuality path={path.join('/')} /> : <RepositoryQuality />
}
