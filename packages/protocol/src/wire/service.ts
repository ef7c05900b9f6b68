/**
 * The provider's service as a table: for every call its path, whether the response is a stream, and
 * the byte codecs of request and response. The wings build their grpc-js definitions from it; no
 * generated type leaves this package.
 */
import { toBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import {
  file_holdfast_provider_v1_provider,
  Provider,
} from '../generated/holdfast/provider/v1/provider_pb.ts'
import * as bundles from './bundle-messages.ts'
import type { Codec } from './codec.ts'
import * as deals from './deal-messages.ts'
import * as providers from './provider-messages.ts'
import * as revocations from './revocation-messages.ts'
import * as uploads from './upload-messages.ts'

/** One call. Requests are single messages throughout. */
export interface ServiceMethod<Request, Response> {
  /** `/package.Service/Method` */
  readonly path: string
  readonly responseStream: boolean
  readonly request: Codec<Request>
  readonly response: Codec<Response>
}

/** `holdfast.provider.v1.Provider` */
export const PROVIDER_SERVICE_NAME: string = Provider.typeName

const method = <Request, Response>(
  name: keyof typeof Provider.method,
  request: Codec<Request>,
  response: Codec<Response>,
): ServiceMethod<Request, Response> => {
  const descriptor = Provider.method[name]
  return {
    path: `/${PROVIDER_SERVICE_NAME}/${descriptor.name}`,
    responseStream: descriptor.methodKind === 'server_streaming',
    request,
    response,
  }
}

/** The calls of the service, by their names in code. */
export interface ProviderService {
  readonly describe: ServiceMethod<providers.DescribeRequest, providers.DescribeResponse>
  readonly quote: ServiceMethod<providers.QuoteRequest, providers.QuoteResponse>
  readonly openUpload: ServiceMethod<uploads.OpenUploadRequest, uploads.OpenUploadResponse>
  readonly watchUpload: ServiceMethod<uploads.SessionRequest, uploads.WatchUploadResponse>
  readonly commitUpload: ServiceMethod<uploads.SessionRequest, uploads.CommitUploadResponse>
  readonly abortUpload: ServiceMethod<uploads.SessionRequest, uploads.AbortUploadResponse>
  readonly revokeGrant: ServiceMethod<
    revocations.RevokeGrantRequest,
    revocations.RevokeGrantResponse
  >
  readonly proposeDeal: ServiceMethod<deals.ProposeDealRequest, deals.ProposeDealResponse>
  readonly getDeal: ServiceMethod<deals.GetDealRequest, deals.GetDealResponse>
  readonly getAnswers: ServiceMethod<deals.GetAnswersRequest, deals.GetAnswersResponse>
  readonly getBundle: ServiceMethod<bundles.GetBundleRequest, bundles.GetBundleResponse>
  readonly getBundleEntries: ServiceMethod<
    bundles.GetBundleEntriesRequest,
    bundles.GetBundleEntriesResponse
  >
}

export const providerService: ProviderService = {
  describe: method('describe', providers.describeRequest, providers.describeResponse),
  quote: method('quote', providers.quoteRequest, providers.quoteResponse),
  openUpload: method('openUpload', uploads.openUploadRequest, uploads.openUploadResponse),
  watchUpload: method('watchUpload', uploads.watchUploadRequest, uploads.watchUploadResponse),
  commitUpload: method('commitUpload', uploads.commitUploadRequest, uploads.commitUploadResponse),
  abortUpload: method('abortUpload', uploads.abortUploadRequest, uploads.abortUploadResponse),
  revokeGrant: method(
    'revokeGrant',
    revocations.revokeGrantRequest,
    revocations.revokeGrantResponse,
  ),
  proposeDeal: method('proposeDeal', deals.proposeDealRequest, deals.proposeDealResponse),
  getDeal: method('getDeal', deals.getDealRequest, deals.getDealResponse),
  getAnswers: method('getAnswers', deals.getAnswersRequest, deals.getAnswersResponse),
  getBundle: method('getBundle', bundles.getBundleRequest, bundles.getBundleResponse),
  getBundleEntries: method(
    'getBundleEntries',
    bundles.getBundleEntriesRequest,
    bundles.getBundleEntriesResponse,
  ),
}

/** The service's file descriptor as protobuf bytes, for gRPC server reflection. */
export const providerFileDescriptor = (): Uint8Array =>
  toBinary(FileDescriptorProtoSchema, file_holdfast_provider_v1_provider.proto)
