# frozen_string_literal: true

# Tables as the generators of Devise, Doorkeeper and Doorkeeper::OpenidConnect make them, two users,
# two public clients and a resource server.

require_relative "site"
require "erb"

Site.initialize!
ActiveRecord::Migration.verbose = false
ActiveRecord::Base.connection.execute("PRAGMA journal_mode = WAL")

# Runs the migration of a generator's template.
def migrate(gem, template, class_name)
  path = "#{Gem.loaded_specs.fetch(gem).full_gem_path}/lib/generators/#{template}.rb.erb"
  migration_version = "[6.1]"
  code = ERB.new(File.read(path)).result(binding)
  # Doorkeeper's comment: without this column a refresh token is revoked as soon as it was used.
  code = code.gsub(/^\s*t\.string\s+:previous_refresh_token.*$/, "")
  Object.class_eval(code, path)
  Object.const_get(class_name).new.migrate(:up)
end

ActiveRecord::Schema.define do
  create_table :users do |t|
    t.string :email, null: false, index: { unique: true }
    t.string :encrypted_password, null: false
    t.datetime :current_sign_in_at
    t.datetime :last_sign_in_at
    t.string :current_sign_in_ip
    t.string :last_sign_in_ip
    t.integer :sign_in_count, null: false, default: 0
    t.timestamps null: false
  end
end
migrate("doorkeeper", "doorkeeper/templates/migration", "CreateDoorkeeperTables")
migrate("doorkeeper", "doorkeeper/templates/enable_pkce_migration", "EnablePkce")
migrate(
  "doorkeeper-openid_connect",
  "doorkeeper/openid_connect/templates/migration",
  "CreateDoorkeeperOpenidConnectTables"
)

User.create!(email: "alice@example.test", password: ENV.fetch("INTEROP_PASSWORD"))
User.create!(email: "bob@example.test", password: ENV.fetch("INTEROP_SECOND_PASSWORD"))
{
  "native" => "http://127.0.0.1:9999/callback",
  "other" => "http://127.0.0.1:9998/callback2"
}.each do |uid, redirect_uri|
  Doorkeeper::Application.create!(
    name: uid, uid: uid, redirect_uri: redirect_uri, confidential: false,
    scopes: "openid email read"
  )
end
Doorkeeper::Application.create!(
  name: "api", uid: "api", secret: ENV.fetch("INTEROP_SECRET"),
  redirect_uri: "https://api.example.test/none", confidential: true, scopes: "read"
)
