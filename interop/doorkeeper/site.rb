# frozen_string_literal: true

# A Rails application of one file: Devise signs users in, Doorkeeper and its OpenID Connect
# extension are the authorization server. By the documentation of the three (Doorkeeper: Ruby on
# Rails, PKCE flow; generator templates of Doorkeeper and Doorkeeper::OpenidConnect).

require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "action_view/railtie"
require "sprockets/railtie"
require "devise"
require "devise/orm/active_record"
require "doorkeeper"
require "doorkeeper/openid_connect"

STATE = ENV.fetch("STATE")
ISSUER = "http://127.0.0.1:#{ENV.fetch('PORT')}"

# The application.
class Site < Rails::Application
  config.load_defaults 6.1
  config.root = STATE
  config.paths["config/routes.rb"] = File.join(__dir__, "routes.rb")
  config.paths["app/views"] = File.join(__dir__, "views")
  config.eager_load = false
  config.cache_classes = true
  config.consider_all_requests_local = false
  config.log_level = :warn
  config.logger = Logger.new($stderr)
  config.secret_key_base = ENV.fetch("SECRET_KEY_BASE")
  config.hosts = ["127.0.0.1"]
  config.public_file_server.enabled = false
  config.assets.compile = true
  config.assets.digest = false
  config.assets.configure { |assets| assets.logger = Logger.new(nil) }
end

# A writer waits for its turn instead of failing with "database is locked". Rails 8 does so itself.
module WriterWaits
  def begin_db_transaction
    log("begin immediate transaction", nil) { @connection.transaction(:immediate) }
  end
end

ActiveSupport.on_load(:active_record) do
  require "active_record/connection_adapters/sqlite3_adapter"
  ActiveRecord::ConnectionAdapters::SQLite3Adapter.prepend(WriterWaits)
end

# A user of Devise.
class User < ActiveRecord::Base
  extend Devise::Models
  devise :database_authenticatable, :trackable
end

Devise.setup do |config|
  config.secret_key = ENV.fetch("SECRET_KEY_BASE")
  config.parent_controller = "ActionController::Base"
  config.stretches = 10
  config.authentication_keys = [:email]
end

Doorkeeper.configure do
  orm :active_record
  # nil, and not an end of the request: prompt=none must be answered by an error, not by a page.
  resource_owner_authenticator do
    unless current_user
      store_location_for(:user, request.fullpath)
      redirect_to(new_user_session_url)
    end
    current_user
  end
  base_controller "ActionController::Base"
  default_scopes :openid
  optional_scopes :email, :read
  enforce_configured_scopes
  grant_flows %w[authorization_code]
  use_refresh_token
  hash_token_secrets
  enforce_content_type
  access_token_expires_in 1.hour
  access_token_methods :from_bearer_authorization
  force_ssl_in_redirect_uri { |uri| !%w[127.0.0.1 localhost].include?(uri.host) }
  allow_token_introspection { |token, client| token.nil? || client&.uid == "api" }
end

Doorkeeper::OpenidConnect.configure do
  issuer ISSUER
  signing_key File.read("#{STATE}/key.pem")
  subject_types_supported [:public]
  resource_owner_from_access_token { |token| User.find_by(id: token.resource_owner_id) }
  auth_time_from_resource_owner { |user| user.current_sign_in_at }
  reauthenticate_resource_owner do |user, return_to|
    store_location_for user, return_to
    sign_out user
    redirect_to new_user_session_url
  end
  subject { |user, _application| user.id }
  protocol { :http }
  claims { claim(:email, scope: :email) { |user| user.email } }
end
