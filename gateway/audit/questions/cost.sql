-- What did each team's use of each model cost, and of how much is the cost not known?
-- By time of the end. An assessor's row is what judging has cost; the others are of the answers.
SELECT tenant, team, application, assessor, provider, model, currency,
    CAST(nanos / 1000000000 AS text) || '.' || substr(CAST(1000000000 + nanos % 1000000000 AS text), 2) AS cost,
    times, at_least, unpriced, untold, input_tokens, output_tokens
FROM (
    SELECT tenant, team, application, assessor, provider, model, currency,
        CAST(sum(nanos) AS bigint) AS nanos,
        count(*) AS times,
        CAST(sum(at_least) AS bigint) AS at_least,
        CAST(sum(CASE WHEN nanos IS NULL AND coalesce(input_tokens, output_tokens) IS NOT NULL THEN 1 ELSE 0 END) AS bigint) AS unpriced,
        CAST(sum(CASE WHEN coalesce(input_tokens, output_tokens) IS NULL THEN 1 ELSE 0 END) AS bigint) AS untold,
        CAST(sum(input_tokens) AS bigint) AS input_tokens,
        CAST(sum(output_tokens) AS bigint) AS output_tokens
    FROM cost
    WHERE ts_ms >= :since_ms AND ts_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
    GROUP BY tenant, team, application, assessor, provider, model, currency
) AS spent
ORDER BY tenant, team, application, assessor, provider, model, currency
