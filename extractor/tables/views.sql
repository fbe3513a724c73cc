-- Views over the tables. "kept" stands for the columns that the caller asked to keep.

-- The day to order by: the meeting's where it is one day, else the article's, else the first that the date can mean.
CREATE MACRO day_of(first_day, last_day, published) AS
    CASE WHEN first_day = last_day THEN first_day ELSE coalesce(published, first_day) END;
CREATE MACRO day_source(first_day, last_day, published) AS
    CASE WHEN first_day = last_day OR published IS NULL AND first_day IS NOT NULL THEN 'meeting'
        WHEN published IS NOT NULL THEN 'publication' END;

-- One row a meeting, to read: what belongs to it stands in one cell. To filter or to count, use the tables.
CREATE VIEW meetings_wide AS
SELECT m.*, participants, countries, topics, outcomes, attributions, quote
FROM meetings m
LEFT JOIN (
    SELECT article_id, record_id, string_agg(name, ' | ' ORDER BY number) AS participants,
        string_agg(DISTINCT country, ' | ' ORDER BY country) AS countries
    FROM participants GROUP BY ALL
) USING (article_id, record_id)
LEFT JOIN (
    SELECT article_id, record_id, string_agg(topic_text, ' | ' ORDER BY number) AS topics FROM topics GROUP BY ALL
) USING (article_id, record_id)
LEFT JOIN (
    SELECT article_id, record_id, string_agg(outcome_text, ' | ' ORDER BY number) AS outcomes FROM outcomes GROUP BY ALL
) USING (article_id, record_id)
LEFT JOIN (
    SELECT article_id, record_id, string_agg(attribution, ' | ' ORDER BY number) AS attributions
    FROM attributions WHERE task = 'meetings' GROUP BY ALL
) USING (article_id, record_id)
LEFT JOIN (
    SELECT article_id, record_id, quote FROM evidence WHERE task = 'meetings' AND number = 1
) USING (article_id, record_id)
ORDER BY article_id, length(record_id), record_id;

-- One row a meeting and pair of those who met; the names of a pair stand in the same order in every row.
CREATE VIEW meeting_pairs AS
SELECT m.article_id, m.record_id, m.event_id, m.published_at, m.kind, m.channel, m.status, m.date_edtf, m.date_start, m.date_end,
    a.actor_id AS a_actor_id, a.name AS a_name, a.actor_type AS a_actor_type, a.country AS a_country,
    b.actor_id AS b_actor_id, b.name AS b_name, b.actor_type AS b_actor_type, b.country AS b_country/*kept*/
FROM meetings m
JOIN participants a USING (article_id, record_id)
JOIN participants b USING (article_id, record_id)
WHERE a.capacity = 'principal' AND b.capacity = 'principal'
    AND (coalesce(a.actor_id, a.name), a.number) < (coalesce(b.actor_id, b.name), b.number)
ORDER BY article_id, length(record_id), record_id, a.number, b.number;

-- One row a meeting and pair of countries whose representatives met, in the order of the alphabet.
CREATE VIEW meeting_country_pairs AS
SELECT DISTINCT m.article_id, m.record_id, m.event_id, m.published_at, m.kind, m.channel, m.status, m.date_edtf, m.date_start,
    m.date_end, a.country AS country_a, b.country AS country_b/*kept*/
FROM meetings m
JOIN participants a USING (article_id, record_id)
JOIN participants b USING (article_id, record_id)
WHERE a.capacity = 'principal' AND b.capacity = 'principal' AND a.country < b.country
ORDER BY article_id, length(record_id), record_id, country_a, country_b;

-- One row a stance and holder, with its target, its first quote, the day by which to order it, and its meeting's event.
CREATE VIEW stances_long AS
SELECT m.article_id, m.record_id, h.number AS holder_number, h.actor_id AS holder_actor_id, h.name AS holder_name,
    h.actor_type AS holder_actor_type, h.role AS holder_role, h.organization AS holder_organization,
    h.country AS holder_country,
    day_of(meeting_date_start, meeting_date_end, m.published_at) AS stance_date,
    day_source(meeting_date_start, meeting_date_end, m.published_at) AS stance_date_source,
    event_id, m.* EXCLUDE (article_id, record_id), quote, start_offset, end_offset
FROM stances m
JOIN stance_holders h USING (article_id, record_id)
LEFT JOIN (SELECT article_id, record_id AS meeting_id, event_id FROM meetings) USING (article_id, meeting_id)
LEFT JOIN (
    SELECT article_id, record_id, quote, start_offset, end_offset FROM evidence WHERE task = 'stances' AND number = 1
) USING (article_id, record_id)
ORDER BY article_id, length(record_id), record_id, holder_number;

-- One row an event between two actors, coded by CAMEO and PLOVER. Of a meeting, which has no direction, the actor
-- mentioned first is the source; of a visit, its hosts are the targets.
CREATE VIEW coded_events AS
WITH sides AS (
    SELECT p.*, count(*) OVER (PARTITION BY article_id, record_id) AS n_sides
    FROM participants p JOIN meetings USING (article_id, record_id)
    WHERE capacity = 'principal' OR (capacity = 'host' AND kind = 'visit')
), contexts AS (
    SELECT article_id, record_id, min_by(plover_context(topic_code), number) AS plover_context
    FROM topics WHERE plover_context(topic_code) IS NOT NULL GROUP BY ALL
), events AS (
    SELECT 'meetings' AS task, m.article_id, m.record_id, event_id,
        day_of(date_start, date_end, published_at) AS event_date,
        day_source(date_start, date_end, published_at) AS event_date_source,
        a.actor_id AS source_actor_id, a.name AS source_name, a.actor_type AS source_actor_type, a.country AS source_country,
        b.actor_id AS target_actor_id, b.name AS target_name, b.actor_type AS target_actor_type, b.country AS target_country,
        status, cameo, plover, plover_context, place_venue, place_city, place_country, published_at/*kept*/
    FROM meetings m
    JOIN sides a ON (a.article_id, a.record_id) = (m.article_id, m.record_id) AND a.capacity = 'principal'
    LEFT JOIN sides b ON (b.article_id, b.record_id) = (m.article_id, m.record_id)
        AND (b.capacity = 'host' OR b.number > a.number)
    LEFT JOIN contexts c ON (c.article_id, c.record_id) = (m.article_id, m.record_id)
    WHERE b.name IS NOT NULL OR a.n_sides = 1
    UNION ALL
    SELECT 'stances', article_id, record_id, NULL, stance_date, stance_date_source,
        holder_actor_id, holder_name, holder_actor_type, holder_country,
        target_actor_id, coalesce(target_actor_name, addressee), target_actor_type, target_actor_country,
        NULL, cameo, plover, NULL, NULL, NULL, NULL, published_at/*kept*/
    FROM stances_long m
)
SELECT article_id, task, record_id, event_id, event_date, event_date_source, source_actor_id, source_name,
    source_actor_type, source_country, target_actor_id, target_name, target_actor_type, target_country, status, cameo,
    cameo[1:2] AS cameo_root,
    CASE WHEN cameo[1:2] <= '05' THEN 1 WHEN cameo[1:2] <= '09' THEN 2 WHEN cameo[1:2] <= '14' THEN 3
        WHEN cameo IS NOT NULL THEN 4 END AS quad_class,
    plover, split_part(plover, '-', 1) AS plover_event, nullif(plover[strpos(plover || '-', '-') + 1:], '') AS plover_mode,
    plover_context, place_venue, place_city, place_country, quote, start_offset, end_offset, published_at/*kept*/
FROM events m
LEFT JOIN (
    SELECT article_id, task, record_id, quote, start_offset, end_offset FROM evidence WHERE number = 1
) USING (article_id, task, record_id)
WHERE cameo IS NOT NULL OR plover IS NOT NULL
ORDER BY article_id, task, length(record_id), record_id, source_name, target_name;
