import type { Partner } from '../../spec/generated/admin.ts'
import type { PartnerDetails } from './queries.ts'

export const toPartner = (partner: PartnerDetails): Partner => ({
  id: partner.id,
  name: partner.name,
  owner_email: partner.ownerEmail,
  production_enabled: partner.productionEnabled,
  furnisher: partner.furnisher,
  rate_overrides: partner.rateOverrides,
  created_at: partner.createdAt.toISOString()
})
