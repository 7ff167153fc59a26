declare module '../../plugins/database/types.ts' {
  interface Database {
    safe_to_spend: {
      partner_id: string
      environment: 'test' | 'live'
      end_user_id: string
      calculation_id: string
      calculated_at: Date
      days_in_period: number
      cash_after_buffer_cents: number
      bills_cents: number
      savings_cents: number
      debt_cents: number
      daily_allowance_cents: number
    }
  }
}
